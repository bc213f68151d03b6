"""Records losses and gradients of classifiers in training, by PyTorch: guided-diffusion's EncoderUNetModel and the cross-entropy
of its scripts/classifier_train.py, written anew with the names of its parameters. Forward passes are first held to what the
original itself gave (test/golden/adm/classifier-*). Needs torch and numpy.

  python3 test/golden/train/classifiers/make.py
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
FORWARD = HERE.parent.parent / "adm"
ELEMENTS = 256  # of a gradient, a stride apart (test/training-cases.ts)


class Norm(nn.GroupNorm):
    def __init__(self, channels):
        super().__init__(32, channels)


class Res(nn.Module):
    """`down` halves between the activation function and the first convolution, and on the residual."""

    def __init__(self, c, out, emb, film, down=False):
        super().__init__()
        self.film, self.down = film, down
        self.in_layers = nn.Sequential(Norm(c), nn.SiLU(), nn.Conv2d(c, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, (2 if film else 1) * out))
        self.out_layers = nn.Sequential(Norm(out), nn.SiLU(), nn.Dropout(0.0), nn.Conv2d(out, out, 3, padding=1))
        self.skip_connection = nn.Identity() if c == out else nn.Conv2d(c, out, 1)

    def forward(self, x, emb):
        h = self.in_layers[:2](x)
        if self.down:
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        h = self.in_layers[2](h)
        e = self.emb_layers(emb)[:, :, None, None]
        if self.film:
            scale, shift = e.chunk(2, 1)
            h = self.out_layers[1:](self.out_layers[0](h) * (1 + scale) + shift)
        else:
            h = self.out_layers(h + e)
        return self.skip_connection(x) + h


class Attention(nn.Module):
    def __init__(self, c, heads, head_channels):
        super().__init__()
        self.heads = heads if head_channels == -1 else c // head_channels
        self.norm, self.qkv, self.proj_out = Norm(c), nn.Conv1d(c, 3 * c, 1), nn.Conv1d(c, c, 1)

    def forward(self, x, emb):
        b, c, *space = x.shape
        x = x.reshape(b, c, -1)
        # heads first: [head][q, k, v][channel]
        q, k, v = self.qkv(self.norm(x)).reshape(b * self.heads, 3, c // self.heads, -1).unbind(1)
        return (x + self.proj_out(attend(q, k, v).reshape(b, c, -1))).reshape(b, c, *space)


def attend(q, k, v):
    s = q.shape[1] ** -0.25
    return v @ torch.softmax((q * s).mT @ (k * s), -1).mT


class Down(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.op = nn.Conv2d(c, c, 3, 2, 1)

    def forward(self, x, emb):
        return self.op(x)


class First(nn.Conv2d):
    def forward(self, x, emb):
        return super().forward(x)


class Seq(nn.Sequential):
    def forward(self, x, emb):
        for layer in self:
            x = layer(x, emb)
        return x


class AttentionPool(nn.Module):
    def __init__(self, side, c, head_channels, classes):
        super().__init__()
        self.heads = c // head_channels
        self.positional_embedding = nn.Parameter(torch.empty(c, side * side + 1))
        self.qkv_proj, self.c_proj = nn.Conv1d(c, 3 * c, 1), nn.Conv1d(c, classes, 1)

    def forward(self, x):
        b, c, *_ = x.shape
        x = x.reshape(b, c, -1)
        x = torch.cat([x.mean(-1, keepdim=True), x], -1) + self.positional_embedding
        # q, k and v first, then heads
        q, k, v = self.qkv_proj(x).reshape(b, 3, self.heads, c // self.heads, -1).unbind(1)
        q, k, v = (one.reshape(b * self.heads, c // self.heads, -1) for one in (q, k, v))
        return self.c_proj(attend(q, k, v).reshape(b, c, -1))[:, :, 0]


class Encoder(nn.Module):
    def __init__(self, size, in_channels, model_channels, out_channels, num_res_blocks, attention_resolutions, channel_mult, num_heads, num_head_channels, resblock_updown, use_scale_shift_norm, pool):
        super().__init__()
        self.pool, self.model_channels, e = pool, model_channels, 4 * model_channels
        res = lambda c, out, down=False: Res(c, out, e, use_scale_shift_norm, down)
        attention = lambda c: Attention(c, num_heads, num_head_channels)
        self.time_embed = nn.Sequential(nn.Linear(model_channels, e), nn.SiLU(), nn.Linear(e, e))
        c, ds = channel_mult[0] * model_channels, 1
        blocks, features = [Seq(First(in_channels, c, 3, padding=1))], c
        for level, mult in enumerate(channel_mult):
            for _ in range(num_res_blocks):
                layers, c = [res(c, mult * model_channels)], mult * model_channels
                if ds in attention_resolutions:
                    layers.append(attention(c))
                blocks.append(Seq(*layers))
                features += c
            if level != len(channel_mult) - 1:
                blocks.append(Seq(res(c, c, True) if resblock_updown else Down(c)))
                features += c
                ds *= 2
        self.input_blocks = nn.ModuleList(blocks)
        self.middle_block = Seq(res(c, c), attention(c), res(c, c))
        features += c
        self.out = {
            "adaptive": lambda: nn.Sequential(Norm(c), nn.SiLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(c, out_channels, 1), nn.Flatten()),
            "attention": lambda: nn.Sequential(Norm(c), nn.SiLU(), AttentionPool(size // ds, c, num_head_channels, out_channels)),
            "spatial": lambda: nn.Sequential(nn.Linear(features, 2048), nn.ReLU(), nn.Linear(2048, out_channels)),
            "spatial_v2": lambda: nn.Sequential(nn.Linear(features, 2048), Norm(2048), nn.SiLU(), nn.Linear(2048, out_channels)),
        }[pool]()

    def forward(self, x, timesteps):
        half = self.model_channels // 2
        freqs = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32) / half)
        args = timesteps[:, None].float() * freqs[None]
        # rounded to float32, whatever the model computes in
        emb = self.time_embed(torch.cat([args.cos(), args.sin()], -1).to(x.dtype))
        h, means = x, []
        for block in [*self.input_blocks, self.middle_block]:
            h = block(h, emb)
            means.append(h.mean((2, 3)))
        return self.out(torch.cat(means, 1) if self.pool.startswith("spatial") else h)


def hashed(name, shape, seed, scale=None):
    """The formula of golden/README.md; with a scale, values of that reach."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = np.uint64((h + seed * 0x85EBCA6B) & 0xFFFFFFFF)
    n = int(np.prod(shape))
    mask, x = np.uint64(0xFFFFFFFF), np.arange(n, dtype=np.uint64)
    x = (x * np.uint64(0x9E3779B9) + h) & mask
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x85EBCA6B) & mask
    x ^= x >> np.uint64(13)
    x = x * np.uint64(0xC2B2AE35) & mask
    x ^= x >> np.uint64(16)
    u = x.astype(np.float64) / 2**31 - 1
    if scale is not None:
        u = u * scale
    elif name.endswith(".bias"):
        u = 0.1 * u
    elif name.endswith(".weight") and len(shape) == 1:
        u = 1 + 0.2 * u
    else:
        u = u * math.sqrt(3 / (n / shape[0]))
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def model_of(size, kwargs, seed, dtype):
    model = Encoder(size, **kwargs)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(hashed(name, tuple(parameter.shape), seed))
    return model.to(dtype)


def tensors_of(file):
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    dtypes = {"F32": np.float32, "I64": np.int64}
    header = json.loads(data[8 : 8 + length])
    return {
        name: torch.from_numpy(np.frombuffer(data[8 + length + one["data_offsets"][0] : 8 + length + one["data_offsets"][1]], dtypes[one["dtype"]]).reshape(one["shape"]).copy())
        for name, one in header.items()
        if name != "__metadata__"
    }


def write(file, tensors):
    header, blob = {}, b""
    for name, tensor in tensors.items():
        array = tensor.detach().numpy()
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        header[name] = {"dtype": "I64" if array.dtype == np.int64 else "F32", "shape": list(array.shape), "data_offsets": [len(blob), len(blob) + array.nbytes]}
        blob += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def alphas_cumprod(steps, schedule):
    if schedule == "linear":
        betas = np.linspace(1000 / steps * 1e-4, 1000 / steps * 0.02, steps, dtype=np.float64)
    else:
        bar = lambda t: math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = np.array([min(1 - bar((i + 1) / steps) / bar(i / steps), 0.999) for i in range(steps)])
    return np.cumprod(1 - betas)


def gradients(size, kwargs, diffusion, seed, batch, dtype):
    model = model_of(size, kwargs, seed, dtype)
    bars = alphas_cumprod(diffusion["steps"], diffusion["noise_schedule"])
    at = batch["timesteps"].numpy()
    # float64 tables, rounded once they are gathered
    factor = lambda table: torch.from_numpy(table[at].astype(np.float32)).to(dtype)[:, None, None, None]
    x_t = factor(np.sqrt(bars)) * batch["x_start"].to(dtype) + factor(np.sqrt(1 - bars)) * batch["noise"].to(dtype)
    t = batch["timesteps"].float() * (1000 / diffusion["steps"]) if diffusion["rescale_timesteps"] else batch["timesteps"]
    logits = model(x_t, t)
    losses = F.cross_entropy(logits, batch["y"], reduction="none")
    losses.mean().backward()
    order = logits.topk(5, -1)[1]
    hits = lambda k: (order[:, :k] == batch["y"][:, None]).any(-1).to(dtype)
    return model, losses, {1: hits(1), 5: hits(5)}


def flat(model):
    return torch.cat([p.grad.double().reshape(-1) for p in model.parameters()])


def record(forward, name, size, diffusion, seed):
    case = json.loads((FORWARD / forward / "case.json").read_text())
    kwargs, side = case["kwargs"], case["image_size"][0]
    known = tensors_of(FORWARD / forward / "expected.safetensors")
    original = model_of(side, kwargs, case["weights"]["seed"], torch.float32)
    found = original(known["x"], known["timesteps"])
    off = float((found - known["output"]).norm() / known["output"].norm())
    assert off < 2e-6, f"{forward}: {off} from the original's output"
    shape = (3, kwargs["in_channels"], size, size)
    steps = diffusion["steps"]
    batch = {
        "x_start": hashed("x_start", shape, seed, 1.0),
        "noise": hashed("noise", shape, seed, math.sqrt(3)),
        "timesteps": torch.tensor([0, steps // 3, steps - 1]),
        "y": torch.tensor([7, 0, 3]),
    }
    exact, losses, hits = gradients(size, kwargs, diffusion, seed, batch, torch.float64)
    rough, *_ = gradients(size, kwargs, diffusion, seed, batch, torch.float32)
    error = float((flat(rough) - flat(exact)).norm() / flat(exact).norm())
    tensors = {**batch, "loss.loss": losses, "loss.acc1": hits[1], "loss.acc5": hits[5]}
    for key, parameter in exact.named_parameters():
        values = parameter.grad.reshape(-1)
        stride = max(1, math.ceil(values.numel() / ELEMENTS))
        stride += 1 if stride > 1 and stride % 2 == 0 else 0
        tensors[f"grad.{key}"] = values[::stride]
        tensors[f"norm.{key}"] = values.norm().reshape(1)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    write(folder / "expected.safetensors", tensors)
    text = {
        "name": name,
        "model": "EncoderUNetModel",
        "kwargs": kwargs,
        "diffusion": diffusion,
        "weights": {"init": "hash", "seed": seed},
        "rel_l2_f32_vs_f64": error,
        "params": sum(p.numel() for p in exact.parameters()),
        "loss": float(losses.mean()),
        "inputs": {"x_start": list(shape), "y": [3]},
    }
    (folder / "case.json").write_text(json.dumps(text, indent=1) + "\n")
    print(f"{name}: {off:.1e} from the original's output; loss {float(losses.mean()):.4f}, float32 {error:.1e} from float64")


process = lambda steps, schedule, rescale: {"steps": steps, "noise_schedule": schedule, "rescale_timesteps": rescale}
record("classifier-adaptive", "adaptive", 8, process(1000, "linear", False), 91)
record("classifier-attention", "attention", 16, process(1000, "cosine", False), 92)
record("classifier-spatial", "spatial", 8, process(400, "linear", True), 93)
record("classifier-spatial-v2", "spatial-v2", 8, process(1000, "cosine", True), 94)
