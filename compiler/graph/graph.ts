// The model as TimeEmbedSeq blocks of typed layers with resolved shapes and parameter paths.
// It is the unit of naming, import, diff and cost: the compact and the explicit form build the same Graph.

/** A convolution that keeps the size: kernel^dims, padding (kernel - 1) / 2. */
export interface ConvLayer {
  readonly type: 'conv';
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel: 1 | 3;
}

/** GroupNorm, SiLU, conv; time embedding; GroupNorm, SiLU, dropout, conv; skip. Takes the time embedding. */
export interface ResBlockLayer {
  readonly type: 'res_block';
  readonly in_channels: number;
  readonly out_channels: number;
  readonly conditioning: 'film' | 'additive';
  readonly dropout: number;
  readonly skip: 'identity' | 'conv1x1' | 'conv3x3';
}

/** GroupNorm, qkv, attention over all positions, projection, residual. */
export interface AttentionLayer {
  readonly type: 'attention';
  readonly channels: number;
  readonly heads: number;
}

/** Halves the resampled dimensions (in 3D height and width alone). */
export interface DownsampleLayer {
  readonly type: 'downsample';
  readonly channels: number;
  readonly method: 'conv' | 'avg_pool';
}

/** Doubles the resampled dimensions (in 3D height and width alone). */
export interface UpsampleLayer {
  readonly type: 'upsample';
  readonly channels: number;
  readonly method: 'nearest_conv' | 'nearest' | 'conv_transpose';
}

export type Layer = ConvLayer | ResBlockLayer | AttentionLayer | DownsampleLayer | UpsampleLayer;
export type LayerType = Layer['type'];

/** A layer with the path of its parameters (`input_blocks.4.0`) and the sizes of its input and output. */
export interface PlacedLayer {
  readonly layer: Layer;
  readonly path: string;
  readonly in_size: readonly number[];
  readonly out_size: readonly number[];
}

/**
 * A TimeEmbedSeq block: its layers in order, each given the time embedding exactly when its type takes it.
 * Every input block's output is pushed; an output block reads its input joined with the popped one.
 */
export interface Block {
  readonly role: 'input' | 'middle' | 'output';
  /** Position among the blocks of its role. */
  readonly index: number;
  readonly path: string;
  readonly layers: readonly PlacedLayer[];
}

export interface SuperResolution {
  /** Spatial size of `low_res`. */
  readonly low_res_size: readonly number[];
}

export type NoiseSchedule = 'linear' | 'cosine';
export type Prediction = 'epsilon' | 'x_start' | 'previous_x';
export type Variance = 'learned_range' | 'learned' | 'fixed_small' | 'fixed_large';

/** Defaults for sampling, all resolved. */
export interface Diffusion {
  readonly steps: number;
  readonly noise_schedule: NoiseSchedule;
  readonly predict: Prediction;
  readonly variance: Variance;
  readonly rescale_timesteps: boolean;
}

/** What the model may cost; what is not said has no limit. The target is `generic`, the batch one image. */
export interface Budgets {
  readonly params?: number;
  readonly macs?: number;
  readonly activation_bytes?: number;
  readonly weight_bytes?: number;
  readonly dispatches?: number;
}

export interface Graph {
  readonly name: string;
  readonly dims: 1 | 2 | 3;
  readonly image_size: readonly number[];
  /** Channels of one image; with super-resolution the model takes twice as many. */
  readonly in_channels: number;
  readonly out_channels: number;
  readonly num_classes: number | null;
  /** Width of the sinusoidal embedding and of the MLP behind it. */
  readonly time_embed: { readonly channels: number; readonly hidden: number };
  readonly super_resolution: SuperResolution | null;
  readonly diffusion: Diffusion;
  readonly budgets: Budgets | null;
  readonly blocks: readonly Block[];
  /** The head: GroupNorm, SiLU, 3^dims convolution from `channels`. Parameters under `out.0` and `out.2`. */
  readonly head: { readonly channels: number };
}

/** Groups of every GroupNorm of the family, and the epsilon of `nn.GroupNorm`. */
export const NORM_GROUPS = 32;
export const NORM_EPS = 1e-5;
