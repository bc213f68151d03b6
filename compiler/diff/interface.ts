// The interface family: what callers give the model and what they get from it.

import { last } from '../diagnostics.ts';
import type { Graph } from '../graph/graph.ts';
import { count } from '../graph/words.ts';
import { layerOutChannels } from '../layers/queries.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { type Keys, pointerTo, shapeKeys } from './pointers.ts';
import { depthOf } from './roles.ts';
import type { RuleId, Severity } from './rules.ts';
import { type GraphPair, known } from './side.ts';

/** Compares inputs and outputs. */
export function diffInterface(sides: GraphPair): readonly Finding[] {
  const [a, b] = [sides.a.graph, sides.b.graph];
  const drafts: FindingDraft[] = [];
  const say = (
    rule: RuleId,
    place: string,
    keys: Keys,
    [before, after]: readonly [string, string],
    message: string,
    severity?: Severity,
    details: readonly string[] = [],
  ): void => {
    if (before === after) return;
    const pointer = pointerTo(sides, keys);
    drafts.push({
      rule,
      change: '~',
      place,
      pointer,
      before,
      after,
      message,
      details,
      ...(severity && { severity }),
    });
  };
  const both = <T>(of: (graph: Graph) => T): readonly [T, T] => [of(a), of(b)];
  const texts = (of: (graph: Graph) => string | number) => both((graph) => String(of(graph)));

  if (known(sides, 'name'))
    say(
      'interface/name',
      'model',
      ['name'],
      texts((g) => g.name),
      'the model has another name',
    );
  say(
    'interface/dims',
    'x',
    ['dims'],
    texts((g) => `${g.dims}D`),
    `x has ${count(b.dims, 'spatial dimension')} where it had ${a.dims}`,
  );
  if (known(sides, 'image_size') && a.dims === b.dims) {
    say(
      'interface/image-size',
      'x',
      ['image_size'],
      texts((g) => g.image_size.join('x')),
      'x and output have another size',
    );
  }
  const [before, after] = both((g) => 2 ** depthOf(g));
  say(
    'interface/size-divisor',
    'x',
    shapeKeys(sides, 'levels'),
    [String(before), String(after)],
    `sizes must be divisible by ${after} where it was ${before}`,
    before % after === 0 ? 'info' : 'breaking',
  );
  const channels = known(sides, 'in_channels');
  if (channels) {
    say(
      'interface/input-channels',
      'x',
      ['in_channels'],
      texts((g) => g.in_channels),
      `x has ${count(b.in_channels, 'channel')} where it had ${a.in_channels}`,
    );
  }
  say(
    'interface/output-channels',
    'output',
    ['out_channels'],
    texts((g) => g.out_channels),
    `the output has ${count(b.out_channels, 'channel')} where it had ${a.out_channels}`,
  );
  say(
    'interface/classes',
    'y',
    shapeKeys(sides, 'label_emb'),
    texts((g) => (g.num_classes === null ? 'no labels' : count(g.num_classes, 'class', 'classes'))),
    classesMessage(a.num_classes, b.num_classes),
    a.num_classes !== null && b.num_classes !== null && b.num_classes > a.num_classes
      ? 'dangerous'
      : 'breaking',
  );
  const bothTake = a.super_resolution !== null && b.super_resolution !== null;
  if (bothTake ? known(sides, 'low_res_size') : channels) {
    say(
      'interface/low-res',
      'low_res',
      ['super_resolution.low_res_size', 'super_resolution'],
      texts((g) => g.super_resolution?.low_res_size.join('x') ?? 'no low_res'),
      lowResMessage(a, b),
    );
  }
  const sizes = known(sides, 'image_size');
  const [old, fresh] = both((graph) => tapsOf(graph, sizes));
  const differing = differences(old, fresh);
  const tapKeys = [...shapeKeys(sides, 'blocks', 'widths'), 'image_size'];
  if (differing.length > 0) {
    const message = `${count(differing.length, 'feature vector')} ${differing.length === 1 ? 'is' : 'are'} new, gone or of another shape`;
    const [first = ''] = differing;
    const [, name = '', shapes = ''] = /^. (\S+) (.*)$/.exec(first) ?? [];
    const summary =
      old.size === fresh.size
        ? shapes.split(' -> ').map((shape) => `${name} ${shape}`)
        : [old, fresh].map((taps) => count(taps.size, 'vector'));
    drafts.push({
      rule: 'interface/taps',
      change: '~',
      place: 'taps',
      pointer: pointerTo(sides, tapKeys),
      before: summary[0]!,
      after: summary.at(-1)!,
      message,
      details: differing,
    });
  }
  return drafts.map(finding);
}

function classesMessage(a: number | null, b: number | null): string {
  if (a === null) return `a label y of ${b} classes has to be given now`;
  if (b === null) return 'there is no label y any more';
  return b > a
    ? `labels go up to ${b - 1} where they went up to ${a - 1}; whether the old ones mean the same, no file tells`
    : `labels from ${b} to ${a - 1} are refused now`;
}

function lowResMessage(a: Graph, b: Graph): string {
  if (!a.super_resolution) return 'an image low_res has to be given now';
  if (!b.super_resolution) return 'there is no low_res any more';
  return 'low_res has another size';
}

/** Shape of each feature vector, as `--taps` names them; its channels alone where sizes are not known. */
function tapsOf(graph: Graph, sizes: boolean): ReadonlyMap<string, string> {
  return new Map(
    graph.blocks.map(({ role, index, layers }) => {
      const end = last(layers);
      const name = role === 'middle' ? role : `${role === 'input' ? 'down' : 'up'}.${index}`;
      const shape = [layerOutChannels(end.layer), ...(sizes ? end.out_size : [])];
      return [name, `[${shape.join(', ')}]`] as const;
    }),
  );
}

function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) => {
    const [before, after] = [a.get(name), b.get(name)];
    if (before === after) return [];
    if (before === undefined) return [`+ ${name} ${after}`];
    if (after === undefined) return [`- ${name} ${before}`];
    return [`~ ${name} ${before} -> ${after}`];
  });
}
