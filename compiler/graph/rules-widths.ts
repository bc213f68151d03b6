// Rules on widths: groups of norms, attention heads, the channels that arrive at each layer, identity skips.

import { type Diagnostic, last } from '../diagnostics.ts';
import { layerPath } from '../families/blocks.ts';
import { type Draft, type DraftLayer, draftLayers } from '../families/draft.ts';
import type { RuleCode } from '../format/rules.ts';
import { layerDef } from '../layers/index.ts';
import type { Norm } from '../layers/norm.ts';
import { poolsAllBlocks } from '../layers/pool.ts';
import { channelsAt, layerInChannels, layerOutChannels } from '../layers/queries.ts';
import { count, either } from './words.ts';

function fault(code: RuleCode, pointer: string, message: string): Diagnostic {
  return { severity: 'error', code, pointer, message };
}

/** G027: the shift of a time embedding leaves its frequencies finite. */
export function checkTimeEmbed(draft: Draft): readonly Diagnostic[] {
  const { channels, shift } = draft.time_embed;
  const half = Math.floor(channels / 2);
  if (shift < Math.max(1, half)) return [];
  const message = `a time embedding of ${channels} channels has ${count(half, 'frequency', 'frequencies')}, which a shift of ${shift} makes infinite; use less than ${half}`;
  return [fault('G027', draft.pointer(null, 'time_embed/shift'), message)];
}

/** G011: what layers and the head normalise divides into the groups of the norm. */
export function checkNorms(draft: Draft): readonly Diagnostic[] {
  const faults = new Map<string, Diagnostic>();
  const check = (pointer: string, width: number, { groups }: Norm, where: string): void => {
    if (width % groups === 0 || faults.has(pointer)) return;
    const below = Math.floor(width / groups) * groups;
    const near = [below, below + groups].filter((n) => n > 0);
    const message = `${where} normalises ${width} channels, which do not divide into ${groups} groups; use ${either(near)}`;
    faults.set(pointer, fault('G011', pointer, message));
  };
  const layers = draftLayers(draft);
  for (const at of layers) {
    for (const { field, norm } of layerDef(at.value.type).norms(at.value)) {
      check(draft.pointer(at, field), channelsAt(at.value, field), norm, layerPath(at));
    }
  }
  const end = last(layers);
  const field = layerDef(end.value.type).channels.out;
  if (!draft.pool || !poolsAllBlocks(draft.pool))
    check(draft.pointer(end, field), layerOutChannels(end.value), draft.head.norm, 'the head');
  return [...faults.values()];
}

/** G012: every number of heads divides the channels of all attentions it is said for. */
export function checkHeads(draft: Draft): readonly Diagnostic[] {
  // one place may say the width of heads, and so another number of them at every level
  const said = new Map<string, { readonly heads: number; readonly channels: number }[]>();
  for (const at of draftLayers(draft)) {
    const found = layerDef(at.value.type).heads(at.value);
    if (!found) continue;
    const pointer = draft.pointer(at, 'heads');
    said.set(pointer, [...(said.get(pointer) ?? []), found]);
  }
  const faults = [...said].flatMap(([pointer, attended]) => {
    const wrong = attended.filter(({ heads, channels }) => channels % heads !== 0);
    const [first] = wrong;
    if (!first) return [];
    const { heads } = first;
    const channels = attended.map((one) => one.channels);
    const message = `${Math.min(...wrong.map((one) => one.channels))} channels do not divide into ${heads} heads; use ${either(nearDivisors(channels, heads))}`;
    return [fault('G012', pointer, message)];
  });
  return [...faults, ...pooledHeads(draft)];
}

/** The heads of an attention that pools have a width, not a number. */
function pooledHeads(draft: Draft): readonly Diagnostic[] {
  if (draft.pool?.type !== 'attention') return [];
  const { head_channels } = draft.pool;
  const channels = layerOutChannels(last(draftLayers(draft)).value);
  if (channels % head_channels === 0) return [];
  const message = `the pool attends to ${channels} channels, which do not divide into heads of ${head_channels}; use ${either(nearDivisors([channels], head_channels))}`;
  return [fault('G012', draft.pointer(null, 'pool/head_channels'), message)];
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
  if (draft.pool && outputs > 0) {
    const message = `a classifier has no output blocks, found ${outputs}; remove them, or remove "pool"`;
    faults.push(fault('G016', '/blocks/output', message));
  } else if (!draft.pool && inputs !== outputs) {
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
  // a keyword that decides many layers is at fault once
  return [...new Map(faults.map((one) => [`${one.pointer} ${one.message}`, one])).values()];
}

function checkArrival(draft: Draft, at: DraftLayer, arriving: number, joined: string): readonly Diagnostic[] {
  const { value } = at;
  const def = layerDef(value.type);
  const own = def
    .faults(value)
    .map(({ code, field, message }) => fault(code, draft.pointer(at, field), message));
  const taken = layerInChannels(value);
  if (taken === arriving) return own;
  const message = `${layerPath(at)} takes ${taken} channels but ${arriving} arrive${joined}; write ${arriving}`;
  return [fault('G015', draft.pointer(at, def.channels.in), message), ...own];
}
