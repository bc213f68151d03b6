"""PyTorch as an engine of `unetc bench`: the protocol of cli/bench/protocol.ts around torch_unet.py. Needs torch alone."""
import inspect
import json
import resource
import sys
import time


def say(**reply):
    print(json.dumps(reply, separators=(",", ":")), flush=True)


try:
    import torch
except Exception as error:
    say(reply="absent", message=f"torch cannot be imported by {sys.executable}: {error}")
    sys.exit(1)

from torch_unet import UNet

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_tensors(path):
    """The tensors of a safetensors file: eight bytes of length, a JSON header, data."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            begin, end = info["data_offsets"]
            dtype = DTYPES[info["dtype"]]
            count = (end - begin) // torch.empty((), dtype=dtype).element_size()
            tensors[name] = torch.frombuffer(data, dtype=dtype, count=count, offset=begin).reshape(info["shape"])
    return tensors


def write_output(path, output):
    output = output.float().contiguous()
    info = {"dtype": "F32", "shape": list(output.shape), "data_offsets": [0, output.numel() * 4]}
    header = json.dumps({"output": info}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header + output.numpy().tobytes())


def trainer(model, inputs, training, dropout):
    """Steps as the original takes them: noised images, dropout, squared error of the noise, backward pass, AdamW, an average."""
    model.train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = dropout
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0)
    average = [parameter.detach().clone() for parameter in model.parameters()]
    x_start, noise = inputs["x_start"], inputs["noise"]
    timesteps = inputs["timesteps"].float()
    signal, share = (
        torch.tensor(training[name], device=x_start.device).reshape(-1, *[1] * (x_start.dim() - 1))
        for name in ("signal", "noise")
    )

    def step():
        optimizer.zero_grad()
        output = model(signal * x_start + share * noise, timesteps, inputs.get("y"))
        losses = (output[:, : x_start.shape[1]] - noise).square().flatten(1).mean(1)
        losses.mean().backward()
        optimizer.step()
        for mean, parameter in zip(average, model.parameters()):
            mean.mul_(0.9999).add_(parameter.detach(), alpha=1 - 0.9999)
        return losses.detach().cpu()

    return step


def main():
    job = json.loads(sys.argv[1])
    cuda = torch.cuda.is_available()
    device = "cuda" if cuda else "cpu"
    torch.set_num_threads(job["threads"])
    known = inspect.signature(UNet).parameters
    model = UNet(**{key: value for key, value in job["unet"].items() if key in known}).eval()
    model.load_state_dict(read_tensors(job["weights"]))
    model.to(device)
    inputs = {name: tensor.to(device) for name, tensor in read_tensors(job["inputs"]).items()}
    mode = job["engine"]
    if mode != "torch":
        if not cuda:
            say(reply="absent", message=f"{mode} is float16, which PyTorch computes on CUDA; this one has none")
            sys.exit(1)
        torch.backends.cudnn.benchmark = True
        model.half_torso()
    if mode in ("torch-channels-last", "torch-compile"):
        model.to(memory_format=torch.channels_last)
        inputs["x"] = inputs["x"].to(memory_format=torch.channels_last)
    if mode == "torch-compile":
        model = torch.compile(model, mode="max-autotune")

    def forward():
        with torch.inference_mode():
            return model(inputs["x"], inputs["timesteps"], inputs.get("y")).cpu()

    run = forward if job["training"] is None else trainer(model, inputs, job["training"], job["unet"].get("dropout", 0.0))

    first = run()
    place = torch.cuda.get_device_name() if cuda else f"CPU, {job['threads']} threads"
    say(reply="ready", version=f"torch {torch.__version__}", device=place)
    for line in sys.stdin:
        if line == "run\n":
            begin = time.perf_counter()
            run()
            say(reply="ran", ms=(time.perf_counter() - begin) * 1e3)
        elif line == "write\n":
            write_output(job["output"], first)
            say(reply="written")
        else:
            break
    say(reply="done", rss_peak_bytes=peak_memory())


def peak_memory():
    """As peak-memory.ts measures it: Linux counts what the parent held to ru_maxrss. macOS counts bytes."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open("/proc/self/status") as status:
        mark = next(line for line in status if line.startswith("VmHWM:"))
    return int(mark.split()[1]) * 1024


try:
    main()
except Exception as error:
    say(reply="failed", kind="internal", message=f"{type(error).__name__}: {error}")
    sys.exit(1)
