// Rules on widths: GroupNorm's 32 groups, attention heads, the channels that arrive at each layer, identity skips.

import type { Diagnostic } from '../diagnostics.ts';
import type { RuleCode } from '../spec/rules.ts';
import { type Draft, type DraftLayer, draftLayers, layerPath } from './draft.ts';
import { type Layer, NORM_GROUPS } from './graph.ts';
import { last, layerInChannels, layerOutChannels } from './layers.ts';
import { count, either } from './words.ts';

function fault(code: RuleCode, pointer: string, message: string): Diagnostic {
  return { severity: 'error', code, pointer, message };
}

/** G011: the input of a residual block, its hidden width, attention's channels and the head's are normalised. */
export function checkNorms(draft: Draft): readonly Diagnostic[] {
  const faults = new Map<string, Diagnostic>();
  const check = (pointer: string, width: number, where: string): void => {
    if (width % NORM_GROUPS === 0 || faults.has(pointer)) return;
    const below = Math.floor(width / NORM_GROUPS) * NORM_GROUPS;
    const near = [below, below + NORM_GROUPS].filter((n) => n > 0);
    const message = `${where} normalises ${width} channels, which do not divide into ${NORM_GROUPS} groups; use ${either(near)}`;
    faults.set(pointer, fault('G011', pointer, message));
  };
  const layers = draftLayers(draft);
  for (const at of layers) {
    for (const [field, width] of normalised(at.value)) check(draft.pointer(at, field), width, layerPath(at));
  }
  const end = last(layers);
  const field = end.value.type === 'conv' || end.value.type === 'res_block' ? 'out_channels' : 'channels';
  check(draft.pointer(end, field), layerOutChannels(end.value), 'the head');
  return [...faults.values()];
}

function normalised(layer: Layer): readonly (readonly [string, number])[] {
  switch (layer.type) {
    case 'res_block':
      return [
        ['in_channels', layer.in_channels],
        ['out_channels', layer.out_channels],
      ];
    case 'attention':
      return [['channels', layer.channels]];
    case 'conv':
    case 'downsample':
    case 'upsample':
      return [];
  }
}

/** G012: every number of heads divides the channels of all attentions it is said for. */
export function checkHeads(draft: Draft): readonly Diagnostic[] {
  const widths = new Map<string, { heads: number; channels: number[] }>();
  for (const at of draftLayers(draft)) {
    if (at.value.type !== 'attention') continue;
    const pointer = draft.pointer(at, 'heads');
    const said = widths.get(pointer) ?? { heads: at.value.heads, channels: [] };
    said.channels.push(at.value.channels);
    widths.set(pointer, said);
  }
  return [...widths].flatMap(([pointer, { heads, channels }]) => {
    const wrong = channels.filter((c) => c % heads !== 0);
    if (wrong.length === 0) return [];
    const message = `${Math.min(...wrong)} channels do not divide into ${heads} heads; use ${either(nearDivisors(channels, heads))}`;
    return [fault('G012', pointer, message)];
  });
}

/** Divisors common to all widths next to `n`: the nearest below and the two nearest above, or as many as there are. */
function nearDivisors(widths: readonly number[], n: number): readonly number[] {
  const common = widths.reduce(gcd);
  const divisors = Array.from({ length: Math.min(common, 4096) }, (_, i) => i + 1).filter(
    (d) => common % d === 0,
  );
  const below = divisors.filter((d) => d < n);
  const above = divisors.filter((d) => d > n).slice(0, 2);
  return [...below.slice(above.length - 3), ...above];
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** G015, G016, G017: what arrives at each layer of an explicit form, through pushes and pops. */
export function checkChannels(draft: Draft, entry: number): readonly Diagnostic[] {
  const faults: Diagnostic[] = [];
  const skips: number[] = [];
  let arriving = entry;
  for (const block of draft.blocks) {
    let joined = '';
    if (block.role === 'output') {
      const skip = skips.pop();
      if (skip === undefined) break;
      joined = ` (${arriving} from below and ${skip} from input block ${skips.length})`;
      arriving += skip;
    }
    for (const [layer, value] of block.layers.entries()) {
      faults.push(...checkArrival(draft, { block, layer, value }, arriving, joined));
      arriving = layerOutChannels(value);
      joined = '';
    }
    if (block.role === 'input') skips.push(arriving);
  }
  const inputs = draft.blocks.filter((b) => b.role === 'input').length;
  const outputs = draft.blocks.filter((b) => b.role === 'output').length;
  if (inputs !== outputs) {
    const what = `${count(outputs, 'output block')} for ${count(inputs, 'input block')}`;
    const [verb, n] = outputs < inputs ? ['add', inputs - outputs] : ['remove', outputs - inputs];
    faults.push(
      fault(
        'G016',
        '/blocks/output',
        `${what}; every input block is popped by one output block, ${verb} ${n}`,
      ),
    );
  }
  return faults;
}

function checkArrival(draft: Draft, at: DraftLayer, arriving: number, joined: string): readonly Diagnostic[] {
  const layer = at.value;
  const field = layer.type === 'conv' || layer.type === 'res_block' ? 'in_channels' : 'channels';
  const faults: Diagnostic[] = [];
  if (layerInChannels(layer) !== arriving) {
    const message = `${layerPath(at)} takes ${layerInChannels(layer)} channels but ${arriving} arrive${joined}; write ${arriving}`;
    faults.push(fault('G015', draft.pointer(at, field), message));
  }
  if (layer.type === 'res_block' && layer.skip === 'identity' && layer.in_channels !== layer.out_channels) {
    const message = `an identity cannot turn ${layer.in_channels} channels into ${layer.out_channels}; use "conv1x1" or "conv3x3"`;
    faults.push(fault('G017', draft.pointer(at, 'skip'), message));
  }
  return faults;
}
