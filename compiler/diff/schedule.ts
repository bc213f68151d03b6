// The schedule family: how the compiler runs the model, on the target that both sides were compiled for.

import { count } from '../graph/words.ts';
import { DEFAULT_LIMITS } from '../target.ts';
import { type Change, type Finding, finding } from './finding.ts';
import type { BlockPair } from './match.ts';
import type { RuleId, Severity } from './rules.ts';
import { baseName, type ScheduleFacts } from './schedule-facts.ts';

/** Compares two schedules. Fusions are compared layer by layer, and so only where a layer is on both sides. */
export function diffSchedule(
  a: ScheduleFacts,
  b: ScheduleFacts,
  blocks: readonly BlockPair[],
): readonly Finding[] {
  const found: Finding[] = [];
  const say = (
    rule: RuleId,
    place: string,
    [before, after]: readonly [string | number | null, string | number | null],
    message: string,
    more: { severity?: Severity; change?: Change; details?: readonly string[]; path?: Finding['path'] } = {},
  ): void => {
    if (before === after) return;
    const text = (value: string | number | null) => (value === null ? null : String(value));
    found.push(
      finding({
        change: '~',
        ...more,
        rule,
        place,
        pointer: '',
        before: text(before),
        after: text(after),
        message,
      }),
    );
  };
  say(
    'schedule/target',
    'schedule.target',
    [a.target, b.target],
    `compiled for ${b.target}, before for ${a.target}`,
  );
  for (const name of new Set([...a.features, ...b.features])) {
    const [had, has] = [a.features.includes(name), b.features.includes(name)];
    if (had === has) continue;
    const message = has ? `the adapter must have ${name} now` : `the adapter need not have ${name} any more`;
    const severity = has ? 'breaking' : 'info';
    say('schedule/features', `schedule.features.${name}`, [had ? name : null, has ? name : null], message, {
      severity,
      change: has ? '+' : '-',
    });
  }
  for (const name of new Set([...Object.keys(a.limits), ...Object.keys(b.limits)])) {
    const usual = (DEFAULT_LIMITS as unknown as Readonly<Record<string, number>>)[name] ?? 0;
    // what every adapter has is no need
    const need = (of: ScheduleFacts) => Math.max(of.limits[name] ?? usual, usual);
    const [before, after] = [need(a), need(b)];
    const message = `${name} of ${after} is needed, before ${before}`;
    const severity = after > before ? 'dangerous' : 'info';
    say('schedule/limits', `schedule.limits.${name}`, [before, after], message, { severity });
  }
  const dispatches = [a.dispatches.length, b.dispatches.length] as const;
  say(
    'schedule/dispatches',
    'schedule.dispatches',
    dispatches,
    `${count(dispatches[1], 'dispatch', 'dispatches')}, before ${dispatches[0]}`,
  );
  const pipelines = [a.kernels.size, b.kernels.size] as const;
  say(
    'schedule/pipelines',
    'schedule.pipelines',
    pipelines,
    `${count(pipelines[1], 'distinct kernel')}, before ${pipelines[0]}`,
  );
  say(
    'schedule/slots',
    'schedule.slots',
    [a.slots, b.slots],
    `${count(b.slots, 'activation buffer')}, before ${a.slots}`,
  );
  found.push(...fusions(a, b, blocks), ...kernels(a, b));
  return found;
}

/** Fusions of each layer, as a multiset. */
function fusions(a: ScheduleFacts, b: ScheduleFacts, blocks: readonly BlockPair[]): readonly Finding[] {
  const [old, fresh] = [fusedByLayer(a), fusedByLayer(b)];
  return blocks.flatMap(({ layers }) =>
    layers.flatMap((pair) => {
      if (!pair.a || !pair.b) return [];
      const [had, has] = [old.get(pair.a.path) ?? new Map(), fresh.get(pair.b.path) ?? new Map()];
      const path = { a: pair.a.path, b: pair.b.path };
      return [...new Set([...had.keys(), ...has.keys()])].flatMap((fusion) => {
        const by = (has.get(fusion) ?? 0) - (had.get(fusion) ?? 0);
        if (by === 0) return [];
        const lost = by < 0;
        return [
          finding({
            rule: lost ? 'schedule/fusion-lost' : 'schedule/fusion-gained',
            change: lost ? '-' : '+',
            place: pair.role.name,
            path,
            pointer: '',
            before: lost ? fusion : null,
            after: lost ? null : fusion,
            message: `${fusion} is ${lost ? 'no longer fused' : 'fused now'}${Math.abs(by) > 1 ? ` in ${Math.abs(by)} places` : ''}`,
          }),
        ];
      });
    }),
  );
}

function fusedByLayer({ dispatches }: ScheduleFacts): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const layers = new Map<string, Map<string, number>>();
  for (const { path, fused } of dispatches) {
    const layer = layerOf(path);
    const counts = layers.get(layer) ?? new Map<string, number>();
    layers.set(layer, counts);
    for (const fusion of fused) counts.set(fusion, (counts.get(fusion) ?? 0) + 1);
  }
  return layers;
}

/** The layer that a path lies in: `input_blocks.3.0` of `input_blocks.3.0.in_layers.2`. */
function layerOf(path: string): string {
  return path
    .split('.')
    .slice(0, path.startsWith('middle') ? 2 : 3)
    .join('.');
}

/** Kernel sources by kernel: which variants came and went. */
function kernels(a: ScheduleFacts, b: ScheduleFacts): readonly Finding[] {
  const names = new Set([...a.kernels.keys(), ...b.kernels.keys()].map(baseName));
  return [...names].sort().flatMap((name) => {
    const variants = (of: ScheduleFacts) => [...of.kernels.keys()].filter((file) => baseName(file) === name);
    const [had, has] = [variants(a), variants(b)];
    const gone = had.filter((file) => !has.includes(file));
    const fresh = has.filter((file) => !had.includes(file));
    if (gone.length + fresh.length === 0) return [];
    const change = had.length === 0 ? '+' : has.length === 0 ? '-' : '~';
    const variant = (n: number) => count(n, 'variant');
    return [
      finding({
        rule: 'schedule/kernels',
        change,
        place: `kernels.${name}`,
        pointer: '',
        before: had.length === 0 ? null : variant(had.length),
        after: has.length === 0 ? null : variant(has.length),
        message: `${variant(fresh.length)} of ${name} ${fresh.length === 1 ? 'is' : 'are'} new and ${gone.length} gone`,
        details: [...gone.map((file) => `- ${file}`), ...fresh.map((file) => `+ ${file}`)],
      }),
    ];
  });
}
