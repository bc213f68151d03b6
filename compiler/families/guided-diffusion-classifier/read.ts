// Reads a checkpoint as a classifier of guided-diffusion: by the keyword arguments that make its blocks. Without a way up,
// nothing but their number tells which residual blocks halve the size: where several numbers of blocks a level would make
// the tensors, the likeliest is taken.

import { FORMAT_VERSION } from '../../format/common.ts';
import type { Layer } from '../../layers/index.ts';
import type { PoolType } from '../../layers/pool.ts';
import type { Shape } from '../../ops/op.ts';
import type { Candidate, JsonObject, Reading, Undetermined, Unread } from '../family.ts';
import { fitAdm } from '../guided-diffusion/read.ts';
import { likelySize, toldBy, whyNot } from '../improved-diffusion/read.ts';
import { type ReadModel, readBlocks } from '../improved-diffusion/read-blocks.ts';
import { groupTensors } from '../improved-diffusion/tensors.ts';
import { takenFrom } from '../improved-diffusion/undetermined.ts';
import type { Tensors } from '../tensors.ts';
import { type KnownClassifier, knownClassifier, type ToldClassifier } from './published.ts';

/** Residual blocks of a level in published classifiers. */
const USUAL_BLOCKS = [2, 4];

/** What tensors say of the pool. */
interface ReadPool {
  readonly type: PoolType;
  readonly classes: number;
  /** Positions that a pool of attention has an embedding for; null for the others. */
  readonly positions: number | null;
}

/** The graphs that the tensors may be of, with what no shape tells guessed; or why they are of none. */
export function readCheckpoint(tensors: Tensors, name: string): Reading | Unread {
  const grouped = groupTensors(tensors);
  const pool = readPool(grouped.all);
  if (pool === null) return whyNot([...grouped.all.keys()]);
  // blocks are read as those of a model with a head
  const all = new Map([...grouped.all, ['out.2.weight', [pool.classes]] as const]);
  const model = readBlocks({ ...grouped, all, output: new Map() });
  if (model === null) return whyNot([...grouped.all.keys()]);
  return { tensors: grouped, candidates: resampled(model).map((one) => asKeywords(one, pool, name)) };
}

function readPool(tensors: Tensors): ReadPool | null {
  const at = (name: string) => tensors.get(`out.${name}`);
  const of = (type: PoolType, last: Shape | undefined, positions: number | null = null) => {
    return last === undefined ? null : { type, classes: last[0] ?? 0, positions };
  };
  const embedding = at('2.positional_embedding');
  if (embedding) return of('attention', at('2.c_proj.weight'), (embedding[1] ?? 1) - 1);
  if (at('0.weight')?.length === 1) return of('adaptive', at('3.weight'));
  return at('1.weight') ? of('spatial_v2', at('3.weight')) : of('spatial', at('2.weight'));
}

/** The model, with each choice of residual blocks that halve where no other layer does; the likeliest first. */
function resampled(model: ReadModel): readonly ReadModel[] {
  const { input } = model.blocks;
  if (input.flat().some(({ type }) => type === 'downsample')) return [model];
  const period = (n: number) => n + 1;
  const counts = Array.from({ length: input.length - 1 }, (_, i) => i + 1).filter(
    (n) => input.length % period(n) === 0 && input.every((layers, i) => !halves(i, n) || canHalve(layers)),
  );
  const likely = (n: number) => (USUAL_BLOCKS.includes(n) ? 0 : 1);
  return counts
    .toSorted((a, b) => likely(a) - likely(b) || a - b)
    .map((n) => {
      const marked = input.map((layers, i) => (halves(i, n) ? layers.map(halving) : layers));
      return { ...model, blocks: { ...model.blocks, input: marked } };
    });
}

/** Whether input block `i` ends a level of `n` residual blocks. */
function halves(i: number, n: number): boolean {
  return i > 0 && i % (n + 1) === 0;
}

function canHalve(layers: readonly Layer[]): boolean {
  const [layer, ...more] = layers;
  return layer?.type === 'res_block' && layer.skip === 'identity' && more.length === 0;
}

function halving(layer: Layer): Layer {
  return layer.type === 'res_block' ? { ...layer, resample: 'down' } : layer;
}

function asKeywords(model: ReadModel, pool: ReadPool, name: string): Candidate {
  const { num_classes: _, upsample: _nearest, ...fitted } = fitAdm(model, model.entry);
  const told: ToldClassifier = { ...fitted, out_channels: pool.classes, pool: pool.type };
  const hints = toldBy(model, {
    in_channels: model.entry,
    superResolution: false,
    eitherSuperResolution: false,
  });
  const image_size = sizeOfImage(pool, model.dims, hints.depth);
  const known = knownClassifier(told, image_size);
  const width = hints.mostHeads % 64 === 0 && hints.mostHeads > 0 ? 64 : hints.mostHeads;
  const guessed = { dropout: 0, num_heads: 1, num_head_channels: width, use_new_attention_order: false };
  const spec: JsonObject = {
    version: FORMAT_VERSION,
    name: known?.name ?? name,
    image_size,
    adm_classifier: { ...told, ...(known ? known.adm_classifier : guessed) },
  };
  return { spec, undetermined: keysOf(pool, hints.mostHeads, known) };
}

/** The positions that a pool attends to say how large the image was; else the last level is taken to have 8 of them. */
function sizeOfImage({ positions }: ReadPool, dims: number, depth: number): number {
  return positions === null ? likelySize(depth) : Math.round(positions ** (1 / dims)) * 2 ** depth;
}

function keysOf(
  { positions }: ReadPool,
  mostHeads: number,
  known: KnownClassifier | undefined,
): readonly Undetermined[] {
  const from = (value: unknown, otherwise: string) => takenFrom(known, value) ?? otherwise;
  const key = (name: string, hint: string) => ({ key: `/adm_classifier/${name}`, hint });
  const width = `a divisor of ${mostHeads}, or -1 for heads by number; 64 in every published classifier`;
  const size = { key: '/image_size', hint: 'as in training' };
  return [
    ...(positions === null ? [size] : []),
    key('num_heads', from(1, `a divisor of ${mostHeads}, and only where num_head_channels is -1`)),
    key('num_head_channels', from(64, width)),
    key('use_new_attention_order', from(false, 'as in training; false in every published classifier')),
    key('dropout', 'no effect on sampling'),
  ];
}
