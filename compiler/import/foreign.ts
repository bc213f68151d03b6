// Checkpoints of other families, told by names that only they have, so that the message can say what was given and what to
// do with it.

interface ForeignFamily {
  readonly name: RegExp;
  readonly what: string;
  readonly next: string;
}

const PROMPTED = 'this project has models without prompts';

/** The most telling names first: a model with a prompt is one wherever its other tensors stand. */
const FAMILIES: readonly ForeignFamily[] = [
  {
    name: /(^|\.)lora_(up|down|A|B)\b/,
    what: 'a LoRA, which changes another model',
    next: 'merge it into its model where that was trained',
  },
  {
    name: /(^|\.)(joint_blocks|double_blocks|single_blocks|x_embedder|y_embedder|pos_embed|adaln_single)(\.|$)/,
    what: 'a diffusion transformer (DiT, PixArt, Stable Diffusion 3, Flux)',
    next: 'this project has UNets',
  },
  {
    name: /(^|\.)transformer_blocks\.\d+\./,
    what: 'a UNet with cross-attention, as of Stable Diffusion',
    next: PROMPTED,
  },
  {
    name: /(^|\.)(temp_convs|temp_attentions|temporal_transformer|motion_modules)\./,
    what: 'a UNet of videos',
    next: 'this project has UNets of images',
  },
  {
    name: /(^|\.)(enc|dec)\.\d+x\d+_\w+\./,
    what: 'a network of EDM (SongUNet or DhariwalUNet of NVlabs/edm)',
    next: 'it is preconditioned and sampled by noise levels and not by timesteps, which no graph can express',
  },
  {
    name: /(^|\.)all_modules\.\d+\./,
    what: 'a network of score_sde (NCSN++ or DDPM++)',
    next: 'its blocks are listed in an order that only its config tells; diffusers has some of them as UNet2DModel',
  },
  {
    name: /(^|\.)(u_net\.[du]_blocks|inner_model\.(patch_in|mapping|timestep_embed))\b/,
    what: 'a network of k-diffusion',
    next: 'it is preconditioned and conditioned by its own mapping network, which no graph can express',
  },
  {
    name: /(^|\.)temb\.dense\.\d+\./,
    what: 'the DDPM port to PyTorch (pesser/pytorch_diffusion, ermongroup/ddim)',
    next: 'convert_ddpm_original_checkpoint_to_diffusers.py of diffusers makes a folder of it that unetc import reads',
  },
  {
    name: /(^|\.)(downs|ups)\.\d+\.\d+\.|(^|\.)time_mlp\.\d+\./,
    what: 'a UNet of denoising-diffusion-pytorch (lucidrains)',
    next: 'it has linear attention and norms over channels, which no graph can express',
  },
  {
    name: /(^|\.)(first_stage_model|cond_stage_model)\./,
    what: 'a latent diffusion model with its autoencoder',
    next: 'its UNet is under the prefix model.diffusion_model. (FILE#model.diffusion_model.), where it attends to no prompt',
  },
  {
    name: /(^|\.)(encoder|decoder)\.(down|up|down_blocks|up_blocks|mid_block)\b/,
    what: 'an autoencoder',
    next: 'this project has the UNets that denoise its latents',
  },
  {
    name: /(^|\.)unets\.\d+\./,
    what: 'a cascade of imagen-pytorch or DALLE2-pytorch',
    next: PROMPTED,
  },
];

/** What a checkpoint with these names is and what to do, where that is known and no model of a family of ours. */
export function foreignFamily(names: Iterable<string>): Omit<ForeignFamily, 'name'> | null {
  const all = [...names];
  return FAMILIES.find(({ name }) => all.some((one) => name.test(one))) ?? null;
}
