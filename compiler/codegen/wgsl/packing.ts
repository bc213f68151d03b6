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
  round_quad: `// the values of a quad in float16, ties to even, by their bits: drivers take what is packed and unpacked for what it was
fn round_quad(quad: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(quad);
  let even = (bits >> vec4u(13u)) & vec4u(1u);
  let normal = bitcast<vec4f>((bits + vec4u(0xfffu) + even) & vec4u(0xffffe000u));
  return select(normal, round(quad * 0x1p24) * 0x1p-24, abs(quad) < vec4f(0x1p-14));
}`,
} as const;

/** How a buffer of quads is declared. */
export function quadsAs(half: boolean): HalfType | 'array<vec4f>' {
  return half ? 'array<vec2u>' : 'array<vec4f>';
}

/** How a buffer is declared that is read channel by channel. */
export function channelsAs(half: boolean): HalfType | 'array<f32>' {
  return half ? 'array<u32>' : 'array<f32>';
}

/** The expression for the quad at a place of a buffer. */
export function readQuad(name: string, at: string, half: boolean): string {
  return half ? `unpack_quad(${name}[${at}])` : `${name}[${at}]`;
}

/** The expression for the quad at a place in the order of texels: in a texture, and of float16 in a buffer. */
export function readTexel(name: string, at: string, half: boolean): string {
  return half ? readQuad(name, at, true) : `textureLoad(${name}, texel(${at}))`;
}

/** The expression for the channel at a place of a buffer. */
export function readChannel(name: string, at: string, half: boolean): string {
  return half ? `unpack2x16float(${name}[(${at}) / 2u])[(${at}) % 2u]` : `${name}[${at}]`;
}
