// Float16 in memory: packed, two in a word, so that every adapter can read it. A quad is a vec2u; kernels unpack what
// they load and pack what they store, and compute in float32.

/** Buffers of float16: quads, or pairs of channels. */
export type HalfType = 'array<vec2u>' | 'array<u32>';

/** Functions that the linker adds to kernels that call them. */
export const PACKING = {
  unpack_quad: `// a quad of float16
fn unpack_quad(stored: vec2u) -> vec4f {
  return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y));
}`,
  pack_quad: `// rounds a quad to float16
fn pack_quad(quad: vec4f) -> vec2u {
  return vec2u(pack2x16float(quad.xy), pack2x16float(quad.zw));
}`,
} as const;

/** The expression for the quad at a place of a buffer. */
export function readQuad(name: string, at: string, half: boolean): string {
  return half ? `unpack_quad(${name}[${at}])` : `${name}[${at}]`;
}

/** The expression for the channel at a place of a buffer. */
export function readChannel(name: string, at: string, half: boolean): string {
  return half ? `unpack2x16float(${name}[(${at}) / 2u])[(${at}) % 2u]` : `${name}[${at}]`;
}
