// Checkpoints of other families, told by names that only they have, so that the message can say what was given.

const FAMILIES: readonly { readonly name: RegExp; readonly what: string }[] = [
  { name: /(^|\.)transformer_blocks\.\d+\./, what: 'a UNet with cross-attention, as of Stable Diffusion' },
  { name: /(^|\.)(down_blocks|up_blocks)\.\d+\.(resnets|attentions)\./, what: 'a UNet of diffusers' },
  { name: /(^|\.)first_stage_model\./, what: 'a latent diffusion model with its autoencoder' },
  { name: /(^|\.)(x_embedder|pos_embed|joint_blocks|double_blocks)\b/, what: 'a diffusion transformer' },
  { name: /(^|\.)(encoder|decoder)\.(down|up)\.\d+\./, what: 'an autoencoder' },
  { name: /(^|\.)lora_(up|down|A|B)\b/, what: 'a LoRA, which changes another model' },
];

/** What a checkpoint with these names is, where that is known and no model of the family. */
export function foreignFamily(names: Iterable<string>): string | null {
  for (const name of names) {
    const family = FAMILIES.find((one) => one.name.test(name));
    if (family) return family.what;
  }
  return null;
}
