// When parameters change: an arena behind the last group that needs its parameters or gradients as they are, whatever is computed
// again; or all behind all groups.

import { describe, expect, test } from 'vitest';
import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import { blocksOf } from '../../../compiler/graph/graph.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { memoryTotals } from '../../../compiler/memory/plan.ts';
import { readsOf, writesOf } from '../../../compiler/schedule/resources.ts';
import { COPIES, isLate, parametersOf } from '../../../compiler/schedule/update.ts';
import { GENERIC, SOFTWARE, type Target } from '../../../compiler/target.ts';
import { goldenTraining } from '../../training-cases.ts';

const { graph, batch } = goldenTraining('hybrid');
const training = { averages: 1, accumulates: false };

/** A target that may bind so little that a small model has several arenas. */
const small = (target: Target): Target => ({
  ...target,
  limits: { ...target.limits, maxStorageBufferBindingSize: 2 ** 17 * (COPIES.length + 1) },
});

describe.each([GENERIC, SOFTWARE].map(small))('on $name', (target) => {
  const usual: CompileOptions = { batch, target, training, dropout: true };
  const { schedule, memory, bundle } = compileGraph(graph, usual);
  const { arenas } = schedule.update!;

  test('every parameter changes once, arena by arena in the order in which gradients are there', () => {
    const names = parametersOf(schedule.update!).map(({ name }) => name);
    expect(names.toSorted()).toEqual(
      parameters(graph)
        .map(({ name }) => name)
        .sort(),
    );
    expect(arenas.length).toBeGreaterThan(5);
    const firsts = arenas.map(({ alive }) => alive!.first);
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
    expect(arenas[0]!.parameters.map(({ name }) => name)).toContain('out.2.weight');
    expect(arenas.at(-1)!.parameters.map(({ name }) => name)).toContain('time_embed.0.weight');
  });

  test('an arena of gradients stands from the first that is written to the last that is needed', () => {
    arenas.forEach(({ alive, parameters }, i) => {
      const own = new Set(parameters.map(({ gradient }) => gradient));
      schedule.groups.forEach((group, at) => {
        const used = [...readsOf(schedule.graph, group), ...writesOf(schedule.graph, group)];
        const uses = used.some(({ resource }) => resource.kind === 'value' && own.has(resource.value));
        if (uses) expect(at >= alive!.first && at <= alive!.last, `group ${at} of arena ${i}`).toBe(true);
      });
      expect(memory.lifetimes.find(({ name }) => name === `gradients.${i}`)).toMatchObject(alive!);
    });
  });

  test('no dispatch packs a parameter behind its change, until the step is over', () => {
    const { dispatches, passes, state } = bundle.manifest;
    expect(passes[0]!.name).toBe('step');
    const slots = new Map(state.map(({ name, slot }) => [name, slot]));
    const end = passes[0]!.dispatches;
    const binding = (slot: number, from: number, access: string) =>
      dispatches
        .slice(from, end)
        .filter(({ bindings }) =>
          bindings.some((one) => one.kind === 'slot' && one.slot === slot && one.access === access),
        );
    for (const [i, { parameters }] of arenas.entries()) {
      const slot = slots.get(`parameters.${parameters[0]!.name}`)!;
      const at = dispatches.findIndex(({ bindings }) =>
        bindings.some((one) => one.kind === 'slot' && one.slot === slot && one.access === 'read_write'),
      );
      expect(dispatches[at]!.group, `arena ${i}`).toContain(' adamw ');
      expect(binding(slot, at, 'read_write')).toHaveLength(1);
      expect(binding(slot, at, 'read')).toEqual([]);
    }
    // products are packed before that, more than once where both passes read them
    const packed = arenas.flatMap(({ parameters }) =>
      binding(slots.get(`parameters.${parameters[0]!.name}`)!, 0, 'read'),
    );
    expect(packed.length).toBeGreaterThan(arenas.length);
  });

  test('blocks that are computed again change nothing of what stands where', () => {
    const again = compileGraph(graph, { ...usual, recomputed: blocksOf(graph) }).schedule;
    const placed = (update: typeof schedule.update) =>
      update!.arenas.map(({ parameters }) => parameters.map(({ name, offset }) => [name, offset]));
    expect(again.groups.length).toBeGreaterThan(schedule.groups.length);
    expect(placed(again.update)).toEqual(placed(schedule.update));
  });

  test('takes less memory than gradients that wait for each other', () => {
    const late = compileGraph(graph, { ...usual, training: { ...training, waits: true } });
    const gradients = arenas.reduce((sum, { bytes }) => sum + bytes, 0);
    const freed = memoryTotals(late.memory).shared - memoryTotals(memory).shared;
    expect(freed / gradients).toBeGreaterThan(0.5);
  });
});

test.each([2 ** 10, 2 ** 14, 2 ** 16])(
  'arenas of no more than %i bytes change in their order, by which a step says how many did',
  (bytes) => {
    const limits = { ...SOFTWARE.limits, maxStorageBufferBindingSize: bytes };
    const { schedule } = compileGraph(graph, { batch, target: { ...SOFTWARE, limits }, training });
    const changed = schedule.update!.arenas.map(({ alive }) => alive!.last);
    expect(changed.length).toBeGreaterThan(50);
    expect(changed).toEqual(changed.toSorted((a, b) => a - b));
  },
);

test('microbatches, a largest norm and a scale of the loss wait for all gradients', () => {
  const passesOf = (options: CompileOptions) => {
    const { schedule, bundle } = compileGraph(graph, { batch, training, ...options });
    expect(isLate(schedule.update!)).toBe(!bundle.manifest.passes.some(({ name }) => name === 'step'));
    return bundle.manifest.passes.map(({ name }) => name);
  };
  expect(passesOf({})).toEqual(['step', 'pack']);
  expect(passesOf({ training: { ...training, waits: true } })).toEqual(['gradients', 'update', 'pack']);
  expect(passesOf({ precision: 'f16' })).toEqual(['gradients', 'update', 'pack']);
  expect(passesOf({ training: { ...training, accumulates: true } })).toEqual([
    'gradients',
    'accumulate',
    'update',
    'pack',
  ]);
});
