// Where GPUs compute a convolution by Winograd's F(4x4, 3x3): a quarter of the multiplications, for planes that go through memory
// between three dispatches. From so many channels and pixels on that is less, by the numbers of every GPU that the cost model
// knows (docs/gpu.md); all of it depends on one sample's sizes.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { DEFAULT_LIMITS } from '../../target.ts';
import type { Candidate, ConvGroup, Tile } from '../schedule.ts';
import { extentOf, isHalf } from '../values.ts';
import { GEMM_CHUNK } from './slices.ts';
import { canUseWinograd, planesOf, tilesOf } from './winograd.ts';

/** Pixels of a side of a tile. */
const M = 4;

/** Pixels, and input and output channels, that the algorithm is worth its dispatches for. */
const FEWEST_PIXELS = 256;
const FEWEST_CHANNELS = 64;

/** Workgroups of a product that keep a GPU of many units busy. */
const ENOUGH_WORKGROUPS = 128;

/** Tiles of a product that are computed for each one that there is, at the most. */
const MOST_IDLE = 1.5;

/** Tiles of its product, largest first. */
const TILES: readonly Tile[] = [
  { m: 64, n: 64 },
  { m: 32, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
];

/** The ways to compute a convolution by the algorithm within WebGPU's default limits, at every batch; none where it cannot be. */
export function winogradCandidates(graph: OpGraph, group: ConvGroup): readonly Candidate[] {
  const { maxStorageBufferBindingSize: most } = DEFAULT_LIMITS;
  if (!canUseWinograd(graph, group, M, { most, upsampled: true }) || isHalf(graph, group.result)) return [];
  return TILES.filter(({ n }) => weightBytes(graph, group, n) <= most).map((tile) => ({
    winograd: M,
    tile,
    slices: 1,
  }));
}

/** The way that is chosen where nothing was measured, or null for the sum over taps. */
export function winogradByRule(graph: OpGraph, group: ConvGroup): Candidate | null {
  const { pixels, channels } = extentOf(graph, group.result);
  const few = Math.min(channels, inputChannels(graph, group)) < FEWEST_CHANNELS;
  if (few || pixels < FEWEST_PIXELS) return null;
  const among = winogradCandidates(graph, group).map(({ tile }) => tile);
  const tile = bestTile(tilesOf(graph, group.anchor, M), channels, among);
  return tile && { winograd: M, tile, slices: 1 };
}

/**
 * The tile of a product of so many tiles of several samples, which takes the weights of a tile that was chosen for one sample:
 * its channels are the same. No bit depends on it.
 */
export function tileAmong(tiles: number, channels: number, chosen: Tile): Tile {
  const wider = TILES.filter(({ m, n }) => n === chosen.n && m >= chosen.m);
  return bestTile(tiles, channels, wider) ?? chosen;
}

/** The largest tile that gives enough workgroups and leaves few threads idle, else the smallest. */
function bestTile(tiles: number, channels: number, among: readonly Tile[]): Tile | null {
  const fitting = among.filter(({ m }) => Math.ceil(tiles / m) * m <= MOST_IDLE * tiles);
  const workgroups = ({ m, n }: Tile) => Math.ceil(tiles / m) * Math.ceil(channels / n) * planesOf(M);
  return (
    fitting.find((one) => workgroups(one) >= ENOUGH_WORKGROUPS) ?? fitting.at(-1) ?? among.at(-1) ?? null
  );
}

function inputChannels(graph: OpGraph, { anchor }: ConvGroup): number {
  return extentOf(graph, graph.nodes[anchor]!.inputs[0]!).channels;
}

/** Bytes of the planes of the weights, in one binding. */
function weightBytes(graph: OpGraph, group: ConvGroup, n: number): number {
  const filled = (channels: number, multiple: number) => Math.ceil(channels / multiple) * multiple;
  const { channels } = extentOf(graph, group.result);
  return planesOf(M) * filled(channels, n) * filled(inputChannels(graph, group), GEMM_CHUNK) * 4;
}
