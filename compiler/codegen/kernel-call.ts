// What a group becomes: a specialised kernel, the buffers it is bound to, its sizes, its weights and its grid.

import type { WeightPart } from '../../runtime/bundle.ts';
import { invariant } from '../diagnostics.ts';
import type { Resource } from '../schedule/resources.ts';
import { type ExtraBinding, type Filling, type HookBody, linkKernel } from './wgsl/link.ts';
import { type KernelFile, readKernel, type SizeField } from './wgsl/source.ts';

/** What a storage binding holds. */
export type Bound = WeightResource | PackedResource | Resource;

/** Weights of other dispatches, which a dispatch packs. */
export interface PackedResource {
  readonly kind: 'packed';
  readonly blob: WeightBlob;
}

/** Weights of a dispatch: all in one buffer, or the weights of its product in a texture and the others in a buffer. */
export type WeightResource = { readonly kind: 'weights' } | { readonly kind: 'product' };

/** The weights of one dispatch, packed one behind the other in 16-byte vectors. */
export interface WeightBlob {
  /** Length in words of four bytes: floats, or pairs of float16. */
  readonly length: number;
  /** Whether they are read from a texture. */
  readonly texture: boolean;
  readonly parts: readonly WeightPart[];
}

export interface KernelCall {
  readonly file: KernelFile;
  /** Calls whose file is filled alike run the same kernel. */
  readonly filling: Filling;
  /** Contents of the uniform `Sizes`. */
  readonly sizes: Uint32Array;
  /** A size that does not fit in 32 bits, `pixels = 4294967296`; null where all do. Such a call cannot run. */
  readonly overflow: string | null;
  /** Storage bindings, from binding 1 on. */
  readonly bindings: readonly { readonly resource: Bound; readonly access: 'read' | 'read_write' }[];
  readonly weights: WeightBlob | null;
  readonly product: WeightBlob | null;
  readonly workgroups: readonly [number, number, number];
}

export interface CallRequest {
  readonly file: KernelFile;
  readonly consts?: Readonly<Record<string, number>>;
  readonly hooks?: Readonly<Record<string, HookBody>>;
  readonly functions?: readonly string[];
  readonly types?: Filling['types'];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly lanes?: number | null;
  /** Resources of the buffers that the kernel declares, by name. */
  readonly declared: Readonly<Record<string, Bound>>;
  /** Buffers that hooks use beside them. */
  readonly extra?: readonly (ExtraBinding & { readonly resource: Bound })[];
  /** Values of the fields of `Sizes`; those not given are 0. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly weights?: WeightBlob | null;
  readonly product?: WeightBlob | null;
  readonly workgroups: readonly [number, number, number];
}

/**
 * A call of a kernel, whose text is linked later, once for all calls that share it. Throws InternalError where the call
 * gives a buffer or a size that the kernel does not declare, or leaves one out.
 */
export function callKernel(request: CallRequest): KernelCall {
  const source = readKernel(request.file);
  const extra = request.extra ?? [];
  for (const name of Object.keys(request.declared)) {
    const known = source.bindings.some((d) => d.name === name);
    invariant(known, () => `${request.file}.wgsl declares no buffer ${name}`);
  }
  const bindings = [
    ...source.bindings.map(({ name, access }) => {
      const resource = request.declared[name];
      invariant(resource, () => `${request.file}.wgsl needs a resource for buffer ${name}`);
      return { resource, access };
    }),
    ...extra.map(({ resource, access }) => ({ resource, access })),
  ];
  return {
    file: request.file,
    filling: {
      consts: request.consts ?? {},
      hooks: request.hooks ?? {},
      bindings: extra.map(({ name, type, access }) => ({ name, type, access })),
      types: request.types ?? {},
      functions: request.functions ?? [],
      aliases: request.aliases ?? {},
      lanes: request.lanes ?? null,
    },
    ...packSizes(request.file, source.sizes, request.sizes),
    bindings,
    weights: request.weights ?? null,
    product: request.product ?? null,
    workgroups: request.workgroups,
  };
}

/** The specialised kernel that a call runs. Throws InternalError for a hole that its file does not have. */
export function kernelText({ file, filling }: KernelCall): string {
  return linkKernel(readKernel(file).wgsl, filling);
}

function packSizes(
  file: KernelFile,
  fields: readonly SizeField[],
  sizes: Readonly<Record<string, number>>,
): Pick<KernelCall, 'sizes' | 'overflow'> {
  for (const name of Object.keys(sizes)) {
    const known = fields.some((f) => f.name === name);
    invariant(known, () => `${file}.wgsl has no size ${name}`);
  }
  const packed = new Uint32Array(Math.ceil(fields.length / 4) * 4);
  const floats = new Float32Array(packed.buffer);
  let overflow: string | null = null;
  fields.forEach(({ name, type }, i) => {
    const value = sizes[name] ?? 0;
    if (type === 'f32') {
      floats[i] = value;
    } else {
      invariant(Number.isInteger(value) && value >= 0, () => `${file}.wgsl: size ${name} is ${value}`);
      if (value >= 2 ** 32) overflow ??= `${name} = ${value}`;
      packed[i] = value;
    }
  });
  return { sizes: packed, overflow };
}
