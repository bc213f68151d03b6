// The table of rules a graph is held to: stable codes, what each rule says, and the fields that it reads.

/**
 * One rule. `reads` names the fields a check looks at: where one of them was itself at fault and had to be
 * guessed, what the check finds says nothing about the file and is left out.
 */
export interface Rule {
  readonly title: string;
  readonly reads: readonly string[];
}

/** The keys that the keywords of a family stand under. */
const KEYWORDS = ['unet', 'adm', 'adm_classifier', 'unet_2d'] as const;
const LEVELS = [
  ...KEYWORDS,
  'blocks',
  'channel_mult',
  'num_res_blocks',
  'block_out_channels',
  'layers_per_block',
  'down_block_types',
  'up_block_types',
] as const;

/** Codes never change their meaning; a rule that goes leaves a gap. */
export const RULES = {
  G000: { title: 'the file can be read and is UTF-8 text', reads: [] },
  G001: { title: 'the text is JSON as RFC 8259 defines it', reads: [] },
  G002: { title: 'an object has each key once', reads: [] },
  G003: { title: 'no key is a name that JavaScript objects inherit', reads: [] },
  G004: { title: 'values nest at most 64 levels deep', reads: [] },
  G005: { title: 'a number is finite in double precision', reads: [] },
  G006: { title: 'the text begins with no byte order mark', reads: [] },
  G007: { title: 'a required key is there', reads: [] },
  G008: { title: 'every key is known', reads: [] },
  G009: { title: 'a value has the type and the range of its key', reads: [] },
  G010: {
    title:
      'a graph has exactly one of `unet`, `adm`, `adm_classifier`, `unet_2d` and `blocks`, in a known version',
    reads: [],
  },
  G011: {
    title: 'every normalised width divides into the groups of its norm',
    reads: [
      ...LEVELS,
      'model_channels',
      'in_channels',
      'super_resolution',
      'head',
      'norm',
      'norm_num_groups',
      'attn_norm_num_groups',
    ],
  },
  G012: {
    title: 'attention channels divide into the heads',
    reads: [
      ...LEVELS,
      'model_channels',
      'num_heads',
      'num_heads_upsample',
      'num_head_channels',
      'attention_resolutions',
      'attention_head_dim',
    ],
  },
  G013: {
    title: 'a size that is halved on the way down is met again on the way up',
    reads: [...LEVELS, 'image_size', 'dims', 'conv_resample', 'resblock_updown', 'downsample_padding'],
  },
  G014: {
    title: 'a size has one number for each dimension',
    reads: [...KEYWORDS, 'image_size', 'dims', 'low_res_size'],
  },
  G015: {
    title: 'a layer takes the channels that arrive',
    reads: ['blocks', 'in_channels', 'super_resolution'],
  },
  G016: {
    title: 'every input block is popped by exactly one output block of its size',
    reads: ['blocks', 'dims'],
  },
  G017: { title: 'an identity skip keeps the channels', reads: ['blocks'] },
  G018: {
    title: 'a learned variance needs twice the output channels',
    reads: [...KEYWORDS, 'in_channels', 'out_channels', 'variance', 'diffusion'],
  },
  G019: {
    title: 'the linear noise schedule needs more than 20 steps',
    reads: ['steps', 'noise_schedule', 'diffusion'],
  },
  G020: {
    title: 'the tensors of a checkpoint are those of a model of the family',
    reads: [],
  },
  G021: { title: 'a graph in TypeScript is one defineUNet of constants', reads: [] },
  G022: { title: 'what a graph asks for is within the reach of the target', reads: [] },
  G023: { title: 'betas are said of linear schedules alone', reads: ['noise_schedule', 'diffusion'] },
  G024: {
    title: 'noise grows with the steps, and an offset stays among them',
    reads: ['beta_start', 'beta_end', 'steps_offset', 'steps', 'noise_schedule', 'diffusion'],
  },
  G025: { title: 'the channels of a residual block come in fours', reads: ['blocks'] },
  G026: {
    title: 'what is said of every level is said as often as there are levels',
    reads: ['unet_2d', 'block_out_channels', 'down_block_types', 'up_block_types'],
  },
  G027: {
    title: 'the frequencies of a timestep embedding are finite',
    reads: [...KEYWORDS, 'block_out_channels', 'freq_shift', 'time_embed', 'channels', 'shift'],
  },
  G028: { title: 'options of a layer can be had together', reads: ['blocks'] },
  G029: { title: 'what a folder of diffusers says can be expressed', reads: [] },
  G030: { title: 'every attention resolution is reached, once', reads: [...LEVELS, 'attention_resolutions'] },
  G031: {
    title: 'an option applies somewhere',
    reads: [
      ...LEVELS,
      'attention_resolutions',
      'num_heads_upsample',
      'num_head_channels',
      'resblock_updown',
      'timestep_spacing',
      'steps_offset',
      'mid_block_type',
      'add_attention',
      'downsample_type',
      'sample_size',
      'image_size',
    ],
  },
  G032: {
    title: 'a sampler takes as many output channels as input channels, or twice as many',
    reads: [...KEYWORDS, 'in_channels', 'out_channels', 'variance', 'diffusion'],
  },
} as const satisfies Record<string, Rule>;

export type RuleCode = keyof typeof RULES;
