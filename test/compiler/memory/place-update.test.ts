// Where a step of training keeps parameters and gradients: what lives from step to step shares nothing, and arenas are no larger
// than a target may bind.

import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { planMemory } from '../../../compiler/memory/plan.ts';
import { verifyMemory } from '../../../compiler/memory/verify.ts';
import { COPIES, parametersOf } from '../../../compiler/schedule/update.ts';
import { GENERIC } from '../../../compiler/target.ts';
import { goldenTraining } from '../../training-cases.ts';

const { graph, batch } = goldenTraining('hybrid');
const training = { averages: 1, accumulates: false };

function withLimit(bytes: number) {
  const limits = { ...GENERIC.limits, maxStorageBufferBindingSize: bytes };
  return compileGraph(graph, { batch, training, target: { ...GENERIC, limits } });
}

test('every parameter has a place, at the same bytes as its gradient', () => {
  const { schedule, memory, bundle } = compileGraph(graph, { batch, training });
  const placed = parametersOf(schedule.update!);
  const listed = (list: readonly { name: string; shape: readonly number[] }[]) =>
    list.map(({ name, shape }) => `${name} ${shape}`).sort();
  expect(listed(placed)).toEqual(listed(parameters(graph)));
  for (const { name, gradient } of placed) {
    const { within, ...place } = memory.places.get(`v${gradient}`)!;
    expect(memory.places.get(`parameter.${name}`), name).toEqual({ within: 'trained.0', ...place });
    expect(within).toBe('gradients.0');
  }
  const { state } = bundle.manifest;
  expect(state).toHaveLength(placed.length * (COPIES.length + training.averages));
  const waiting = compileGraph(graph, { batch, training: { ...training, waits: true } }).bundle.manifest;
  expect(waiting.state).toHaveLength(placed.length * (COPIES.length + training.averages + 1));
});

test('arenas are as small as a target wants them, but where a parameter is larger', () => {
  const whole = withLimit(2 ** 27).schedule.update!;
  expect(whole.arenas).toHaveLength(1);
  const most = 2 ** 18;
  const { schedule, bundle } = withLimit(most * (COPIES.length + 1));
  const { arenas } = schedule.update!;
  expect(arenas.length).toBeGreaterThan(1);
  for (const { bytes, parameters } of arenas) expect(bytes <= most || parameters.length === 1).toBe(true);
  const adamw = bundle.manifest.dispatches.filter(({ group }) => group.includes(' adamw '));
  expect(adamw).toHaveLength(arenas.length);
  expect(arenas.flatMap(({ parameters }) => parameters.map(({ name }) => name))).toEqual(
    parametersOf(whole).map(({ name }) => name),
  );
});

test('a plan whose places overlap is refused', () => {
  const { schedule } = compileGraph(graph, { batch, training });
  const plan = planMemory(schedule);
  const [first, second] = [...plan.places.keys()].filter((name) => name.startsWith('parameter.'));
  const places = new Map([...plan.places, [second!, plan.places.get(first!)!]]);
  expect(() => verifyMemory({ ...plan, places })).toThrow(`%${second} begins at byte 0`);
});
