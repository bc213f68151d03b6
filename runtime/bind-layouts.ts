// What kernels bind, as layouts that they share. A layout that WebGPU makes of a kernel's text fits that kernel alone, and a
// driver gives memory to many bind groups of a layout at a time: shared by all kernels that bind the same kinds of things, a
// training step's take half of it.

/** The bindings of group 0 in the forms that kernels have: a uniform, buffers, textures that are read. */
const DECLARATION =
  /@group\(0\)\s*@binding\((\d+)\)\s*var(?:<(uniform|storage, read|storage, read_write)>)?\s*\w+\s*:\s*(texture_storage_2d<rgba32float, read>)?/g;

const BUFFERS = {
  uniform: 'uniform',
  'storage, read': 'read-only-storage',
  'storage, read_write': 'storage',
} as const;

type Kind = (typeof BUFFERS)[keyof typeof BUFFERS] | 'texture';

export interface SharedLayout {
  readonly bindGroup: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** The layouts of one device. */
export interface LayoutCache {
  /** The layout of a kernel's bindings; null where its text declares one in a form that is not known here. */
  of(wgsl: string): SharedLayout | null;
}

/** An empty cache; it holds as many as there are combinations of bindings, some dozens. */
export function createLayoutCache(device: GPUDevice): LayoutCache {
  const layouts = new Map<string, SharedLayout>();
  return {
    of(wgsl) {
      const signature = signatureOf(wgsl);
      if (signature === null) return null;
      const known = layouts.get(signature);
      if (known !== undefined) return known;
      const bindGroup = device.createBindGroupLayout({
        label: signature,
        entries: signature.split(' ').map((kind, binding) => entryOf(kind as Kind, binding)),
      });
      const made = { bindGroup, pipeline: device.createPipelineLayout({ bindGroupLayouts: [bindGroup] }) };
      layouts.set(signature, made);
      return made;
    },
  };
}

/** Kinds of a kernel's bindings in their order; null where one is of a form that is not known here, or a number is left out. */
export function signatureOf(wgsl: string): string | null {
  const kinds: Kind[] = [];
  const declarations = [...wgsl.matchAll(DECLARATION)];
  for (const [, binding, buffer, texture] of declarations) {
    const kind = buffer === undefined ? texture && 'texture' : BUFFERS[buffer as keyof typeof BUFFERS];
    if (kind === undefined || kinds[Number(binding)] !== undefined) return null;
    kinds[Number(binding)] = kind as Kind;
  }
  const isWhole = declarations.length > 0 && kinds.length === declarations.length;
  const isAll = declarations.length === (wgsl.match(/@binding\b/g) ?? []).length;
  return isWhole && isAll ? kinds.join(' ') : null;
}

function entryOf(kind: Kind, binding: number): GPUBindGroupLayoutEntry {
  const visibility = GPUShaderStage.COMPUTE;
  return kind === 'texture'
    ? { binding, visibility, storageTexture: { access: 'read-only', format: 'rgba32float' } }
    : { binding, visibility, buffer: { type: kind } };
}
