// The kernels and their fragments as files: reads them and finds the holes that the linker fills.

import { readFileSync } from 'node:fs';
import { invariant } from '../../diagnostics.ts';
import { shipped } from '../../shipped.ts';
import { inlineFunctions, writeOutInline } from './inline.ts';

export type KernelFile =
  | 'accumulate'
  | 'adamw'
  | 'affine_subgroup'
  | 'attention'
  | 'attention_gradient_keys'
  | 'attention_gradient_keys_subgroup'
  | 'attention_gradient_queries'
  | 'attention_gradient_queries_subgroup'
  | 'attention_matrix'
  | 'attention_subgroup'
  | 'avg_pool'
  | 'avg_pool_prologue'
  | 'avg_pool_subgroup'
  | 'batch_sum'
  | 'channel_sum'
  | 'channel_sum_rows'
  | 'channel_sum_subgroup'
  | 'conv_gemm'
  | 'conv_matrix'
  | 'conv_subgroup'
  | 'conv_weight_gradient'
  | 'conv_weight_gradient_subgroup'
  | 'cross_entropy'
  | 'cross_entropy_gradient'
  | 'dropout_mask'
  | 'embedding'
  | 'embedding_gradient'
  | 'gather_channels'
  | 'gradient_scale'
  | 'linear'
  | 'linear_subgroup'
  | 'linear_weight_gradient'
  | 'log_softmax_gradient'
  | 'map'
  | 'map_subgroup'
  | 'merge_statistics'
  | 'mix'
  | 'mse'
  | 'mse_gradient'
  | 'norm_gradient'
  | 'norm_gradient_subgroup'
  | 'norm_sums'
  | 'norm_sums_subgroup'
  | 'pack_linear'
  | 'pack_product'
  | 'pack_vector'
  | 'pack_winograd'
  | 'position_add'
  | 'rows'
  | 'scale_shift_gradient'
  | 'square_sums'
  | 'statistics'
  | 'statistics_subgroup'
  | 'sum_parts'
  | 'sum_slices'
  | 'top_k'
  | 'upsample_linear'
  | 'variational_bound'
  | 'variational_bound_gradient'
  | 'window'
  | 'window_subgroup'
  | 'winograd_cotangent_subgroup'
  | 'winograd_input'
  | 'winograd_input_subgroup'
  | 'winograd_output'
  | 'winograd_output_subgroup'
  | 'winograd_product'
  | 'winograd_weight_subgroup'
  | 'zeros';

/** Files in the kernels' folder `fragments`. */
export type FragmentFile =
  | 'affine_norm'
  | 'affine_norm_concat'
  | 'bound_terms'
  | 'conv_gemm_half'
  | 'conv_gemm_slice'
  | 'conv_gemm_statistics'
  | 'conv_matrix_slice'
  | 'conv_matrix_statistics'
  | 'conv_subgroup_statistics'
  | 'kept_channels'
  | 'map_norm'
  | 'norm_groups'
  | 'norm_groups_concat'
  | 'norm_quads'
  | 'statistics_of'
  | 'statistics_of_concat'
  | 'winograd_output_statistics'
  | 'winograd_row_statistics';

/** A kernel's file: its text with inline functions written out, and what it declares. */
export interface KernelSource {
  readonly wgsl: string;
  readonly bindings: readonly DeclaredBinding[];
  readonly sizes: readonly SizeField[];
}

/** Files read before: they do not change while a program runs. */
const sources = new Map<KernelFile, KernelSource>();
const fragments = new Map<FragmentFile, string>();

/** Reads a kernel's file, once: a bundle has hundreds of calls of a few files. */
export function readKernel(file: KernelFile): KernelSource {
  const known = sources.get(file);
  if (known) return known;
  const wgsl = readWgsl(file);
  const source = { wgsl, bindings: declaredBindings(wgsl), sizes: sizeFields(wgsl) };
  sources.set(file, source);
  return source;
}

/** Reads a fragment's file, once: its text with inline functions written out. */
export function readFragment(file: FragmentFile): string {
  const wgsl = fragments.get(file) ?? readWgsl(`fragments/${file}`);
  fragments.set(file, wgsl);
  return wgsl;
}

function readWgsl(name: string): string {
  const read = (file: string) => readFileSync(shipped(`compiler/codegen/kernels/${file}.wgsl`), 'utf8');
  return writeOutInline(read(name), inlineFunctions(read('fragments/statistics_layout')));
}

/** A storage buffer that a kernel declares. */
export interface DeclaredBinding {
  readonly name: string;
  readonly access: 'read' | 'read_write';
}

/** A field of the uniform `Sizes`; every field takes four bytes. */
export interface SizeField {
  readonly name: string;
  readonly type: 'u32' | 'f32';
}

/** The storage buffers of a kernel, in the order of their binding numbers, which begin at 1. */
export function declaredBindings(wgsl: string): readonly DeclaredBinding[] {
  const pattern =
    /@group\(0\) @binding\((\d+)\) var(?:<storage, (read|read_write)>)? (\w+): (?:array|texture_storage_2d<rgba32float, (read|write)>)/g;
  return [...wgsl.matchAll(pattern)].map(([, binding, buffer, name, texture], i) => {
    invariant(Number(binding) === i + 1, `binding ${binding} of ${name} is out of order`);
    return { name: name!, access: (buffer ?? texture) === 'read' ? 'read' : 'read_write' };
  });
}

/** The fields of `struct Sizes` in order. */
export function sizeFields(wgsl: string): readonly SizeField[] {
  const body = /struct Sizes \{([^}]*)\}/.exec(wgsl)?.[1];
  invariant(body !== undefined, 'a kernel without struct Sizes');
  return [...body.matchAll(/^\s*(\w+): (u32|f32),/gm)].map(([, name, type]) => ({
    name: name!,
    type: type === 'f32' ? 'f32' : 'u32',
  }));
}
