// The weights family: will a checkpoint of the old graph load into the new one, and does it mean the same there?

import type { PlacedLayer } from '../graph/graph.ts';
import { count } from '../graph/words.ts';
import { layerDef } from '../layers/index.ts';
import { printLayer } from '../layers/queries.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { optionDrafts } from './layer-facts.ts';
import type { BlockPair, LayerPair } from './match.ts';
import {
  BESIDES,
  besideModules,
  layerModules,
  type ModulePair,
  type ParameterPair,
  type RenameMap,
  sameShape,
} from './parameters.ts';
import { pointerTo, shapeKeys } from './pointers.ts';
import type { GraphPair } from './side.ts';

export interface WeightsDiff {
  readonly findings: readonly Finding[];
  readonly map: RenameMap;
}

/** Compares the parameters of two matched graphs. */
export function diffWeights(sides: GraphPair, blocks: readonly BlockPair[]): WeightsDiff {
  const drafts: FindingDraft[] = [];
  const renames = new Map<string, string>();
  const zeros: string[] = [];
  const dropped: string[] = [];
  const moves: string[] = [];
  const graphs = { a: sides.a.graph, b: sides.b.graph };
  const sort = (pairs: readonly ParameterPair[], inert = false): void => {
    for (const { a, b } of pairs) {
      if (a && b) renames.set(a.name, b.name);
      else if (a) dropped.push(a.name);
      else if (b && inert) zeros.push(b.name);
    }
  };

  for (const part of BESIDES) {
    const modules = besideModules(part, graphs);
    sort(modules.parameters);
    drafts.push(...besideFindings(sides, part, modules));
  }
  for (const block of blocks) {
    const pairs = block.layers.map((pair) => {
      const modules = layerModules(pair, graphs);
      return { pair, modules, params: modules.parameters };
    });
    for (const { pair, modules, params } of pairs) {
      sort(params, pair.a === null && block.a !== null && isInert(pair.b!));
      if (pair.a && pair.b) {
        if (pair.a.prefix !== pair.b.prefix && params.length > 0)
          moves.push(`${pair.a.prefix} -> ${pair.b.prefix}`);
        drafts.push(...pairFindings(sides, pair, modules));
      }
    }
    drafts.push(...comings(sides, block, pairs));
  }
  const moved = new Map([...renames].filter(([from, to]) => from !== to));
  if (moved.size > 0) drafts.push(renamed(sides, moved, moves));
  return { findings: drafts.map(finding), map: { renames: moved, zeros, dropped } };
}

type ParamsOf = readonly { readonly pair: LayerPair; readonly params: readonly ParameterPair[] }[];

/** A whole block that came or went is one finding, and so is each layer that came or went in a block that stayed. */
function comings(sides: GraphPair, block: BlockPair, pairs: ParamsOf): readonly FindingDraft[] {
  if (!block.a || !block.b) return [coming(sides, pairs)];
  return pairs.filter(({ pair }) => !pair.a || !pair.b).map((one) => coming(sides, [one], true));
}

function coming(sides: GraphPair, pairs: ParamsOf, inside = false): FindingDraft {
  const [{ pair }] = pairs as [ParamsOf[number]];
  const added = pair.a === null;
  const layers = pairs.map((one) => (one.pair.b ?? one.pair.a)!);
  const names = pairs.flatMap(({ params }) => params.map(({ a, b }) => (b ?? a)!));
  const text = layers.map(({ layer }) => printLayer(layer)).join(', ');
  const inert = added && inside && layers.every(isInert);
  const what = inside ? 'layer' : 'block';
  const path = inside ? layers[0]!.path : layers[0]!.path.slice(0, layers[0]!.path.lastIndexOf('.'));
  const keys = shapeKeys(sides, 'blocks');
  const base = {
    change: added ? ('+' as const) : ('-' as const),
    place: pair.role.name,
    path: { a: added ? null : path, b: added ? path : null },
    pointer: added ? pointerTo(sides, keys, path) : pointerTo(sides, keys, sides.b.graph.blocks[0]!.path),
    before: added ? null : text,
    after: added ? text : null,
    details: names.map((p) => shown(p)),
  };
  if (names.length === 0) {
    const message = `a ${what} without parameters ${added ? 'came' : 'went'}: every key and shape stays, other layers compute at another resolution`;
    return { ...base, rule: 'weights/reinterpreted-resampling', message };
  }
  const tensors = count(names.length, 'tensor');
  if (!added) return { ...base, rule: 'weights/removed', message: `the ${what} is gone with ${tensors}` };
  const message = inert
    ? `the ${what} is new with ${tensors}; while they are zero it passes on what it is given`
    : `the ${what} is new with ${tensors} that no old checkpoint has`;
  return { ...base, rule: inert ? 'weights/added-inert' : 'weights/added', message };
}

/** Whether a layer whose parameters are all zero gives what it is given: a residual on the identity. */
function isInert({ layer }: PlacedLayer): boolean {
  return layerDef(layer.type).inert(layer);
}

/** Layers that are on both sides: other shapes, tensors that came or went, other meanings. */
function pairFindings(
  sides: GraphPair,
  { a, b, role }: LayerPair,
  modules: ModulePair,
): readonly FindingDraft[] {
  const [from, to] = [a!, b!];
  const at = { place: role.name, path: { a: from.path, b: to.path } };
  const keys = shapeKeys(sides, 'widths');
  const found = shapeFindings({ ...at, pointer: pointerTo(sides, keys, to.path) }, modules.parameters, {
    before: printLayer(from.layer),
    after: printLayer(to.layer),
  });
  return found.length > 0 ? found : silentFindings(sides, role.name, modules);
}

/** Options whose change no name and no shape shows. */
function silentFindings(sides: GraphPair, place: string, modules: ModulePair): readonly FindingDraft[] {
  return optionDrafts(sides, place, modules).filter(({ rule }) => rule.startsWith('weights/'));
}

function besideFindings(
  sides: GraphPair,
  part: (typeof BESIDES)[number],
  modules: ModulePair,
): readonly FindingDraft[] {
  const place = part === 'out' ? 'head' : part;
  const on = (side: 'a' | 'b') => (modules.parameters.some((p) => p[side]) ? part : null);
  const at = {
    place,
    path: { a: on('a'), b: on('b') },
    pointer: pointerTo(sides, shapeKeys(sides, part), part),
  };
  const found = shapeFindings(at, modules.parameters, null);
  return found.length > 0 ? found : silentFindings(sides, place, modules);
}

type At = Pick<FindingDraft, 'place' | 'pointer'> & { readonly path: Finding['path'] };

function shapeFindings(
  at: At,
  params: readonly ParameterPair[],
  text: { readonly before: string; readonly after: string } | null,
): readonly FindingDraft[] {
  const reshaped = params.filter(({ a, b }) => a && b && !sameShape(a, b));
  const gone = params.flatMap(({ a, b }) => (a && !b ? [a] : []));
  const fresh = params.flatMap(({ a, b }) => (b && !a ? [b] : []));
  const differs = text && text.before !== text.after;
  const drafts: FindingDraft[] = [];
  if (reshaped.length > 0) {
    const [{ a, b }] = reshaped as [ParameterPair];
    const details = reshaped.map((p) => `${shown(p.a!)} -> [${p.b!.shape.join(', ')}]`);
    const [before, after] = differs
      ? [text.before, text.after]
      : [shown(a!, at.path.a), shown(b!, at.path.b)];
    const message = `${count(reshaped.length, 'tensor')} ${reshaped.length === 1 ? 'has' : 'have'} another shape`;
    drafts.push({ ...at, rule: 'weights/reshaped', change: '~', before, after, message, details });
  }
  if (gone.length > 0) {
    const message = `${count(gone.length, 'tensor')} ${gone.length === 1 ? 'is' : 'are'} gone`;
    const before = differs ? text.before : shown(gone[0]!);
    drafts.push({
      ...at,
      rule: 'weights/removed',
      change: '-',
      before,
      after: null,
      message,
      details: gone.map((p) => shown(p)),
    });
  }
  if (fresh.length > 0) {
    const message = `${count(fresh.length, 'tensor')} ${fresh.length === 1 ? 'is' : 'are'} new, which no old checkpoint has`;
    const after = differs ? text.after : shown(fresh[0]!);
    drafts.push({
      ...at,
      rule: 'weights/added',
      change: '+',
      before: null,
      after,
      message,
      details: fresh.map((p) => shown(p)),
    });
  }
  return drafts;
}

function renamed(
  sides: GraphPair,
  moved: ReadonlyMap<string, string>,
  moves: readonly string[],
): FindingDraft {
  const names = new Map(sides.b.parameters.map(({ name, shape }) => [name, shape.join()]));
  const taken = sides.a.parameters.filter(
    ({ name, shape }) => moved.has(name) && names.get(name) === shape.join(),
  );
  const others =
    taken.length === 0
      ? ''
      : `; ${taken.length} of the old names are now those of other layers of the same shape`;
  return {
    rule: 'weights/renamed',
    change: '~',
    place: 'model',
    pointer: pointerTo(sides, shapeKeys(sides, 'blocks'), sides.b.graph.blocks[0]!.path),
    before: moves[0]!.split(' -> ')[0]!,
    after: moves[0]!.split(' -> ')[1]!,
    message: `${count(moved.size, 'tensor')} of ${count(moves.length, 'layer')} ${moved.size === 1 ? 'has' : 'have'} another name${others}`,
    details: moves,
  };
}

/** A parameter with its shape; without `path` in front where it is given. */
function shown(
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  path?: string | null,
): string {
  const short = path && name.startsWith(`${path}.`) ? name.slice(path.length + 1) : name;
  return `${short} [${shape.join(', ')}]`;
}
