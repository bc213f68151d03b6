import { expect, test } from 'vitest';
import { createReusedMemory } from '../../runtime/reused-memory.ts';

function counted() {
  let made = 0;
  const memory = createReusedMemory((bytes) => {
    made++;
    return new ArrayBuffer(bytes);
  });
  const tensor = (length: number) => ({ shape: [length], data: new Float32Array(memory.take(4 * length)) });
  return { memory, tensor, made: () => made };
}

test('what was given back is written again, and who still holds it finds it empty', () => {
  const { memory, tensor, made } = counted();
  const first = tensor(6);
  first.data.fill(3);
  const row = first.data.subarray(2, 4);
  memory.give([first]);
  expect(first.data.length).toBe(0);
  expect(row.length).toBe(0);
  const second = tensor(6);
  expect([...second.data]).toEqual([3, 3, 3, 3, 3, 3]);
  expect(made()).toBe(1);
});

test('what nobody gave back is never written, nor what has another size', () => {
  const { memory, tensor, made } = counted();
  const kept = tensor(6);
  const given = tensor(6);
  kept.data.fill(1);
  memory.give([given]);
  tensor(6).data.fill(2);
  tensor(6).data.fill(2);
  expect([...kept.data]).toEqual([1, 1, 1, 1, 1, 1]);
  memory.give([tensor(4)]);
  expect(tensor(8).data.length).toBe(8);
  expect(made()).toBe(5);
});

test('memory from elsewhere stays as it is, and what is given back twice is taken once', () => {
  const { memory, tensor, made } = counted();
  const foreign = { shape: [6], data: new Float32Array(6) };
  memory.give([foreign]);
  expect(foreign.data.length).toBe(6);
  const own = tensor(6);
  memory.give([own]);
  memory.give([own]);
  const two = [tensor(6), tensor(6)] as const;
  expect(two[0].data.buffer).not.toBe(two[1].data.buffer);
  expect(made()).toBe(2);
});

test('no more is kept than passes write before results are given back', () => {
  const { memory, tensor, made } = counted();
  const many = Array.from({ length: 12 }, () => tensor(6));
  memory.give(many);
  expect(many.filter(({ data }) => data.length === 0)).toHaveLength(4);
  for (let i = 0; i < 5; i++) tensor(6);
  expect(made()).toBe(13);
});
