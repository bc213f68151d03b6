import { describe, expect, test } from 'vitest';
import type { PickleValue } from '../../../runtime/weights/pickle-values.ts';
import { findStateDict } from '../../../runtime/weights/state-dict.ts';
import { faultOf } from '../../fixtures/faults.ts';

const ORIGIN = { kind: 'weights', label: 'w.pt' } as const;
const TENSOR: PickleValue = {
  kind: 'tensor',
  storage: { kind: 'storage', dtype: 'F32', key: '0', count: 1 },
  dtype: 'F32',
  offset: 0,
  shape: [1],
  stride: [1],
};

function dict(entries: Readonly<Record<string, PickleValue>>): PickleValue {
  return { kind: 'dict', entries: new Map(Object.entries(entries)) };
}

const TWO = dict({ w: TENSOR, b: TENSOR });

describe('what is taken', () => {
  test.each<[string, PickleValue, string | null]>([
    ['a plain state dict', TWO, null],
    [
      'one with a counter in it',
      dict({ w: TENSOR, b: TENSOR, step: 3 }),
      'left out "step", which are no tensors',
    ],
    ['a wrapped one', dict({ state_dict: TWO }), 'took the 2 tensors under "state_dict"'],
    [
      'one of a training run',
      dict({ epoch: 3, model: TWO, optimizer: dict({ lr: 0.1 }) }),
      'took the 2 tensors under "model"; left out "epoch", "optimizer"',
    ],
    [
      'one beside loose tensors',
      dict({ ema: TWO, betas: TENSOR }),
      'took the 2 tensors under "ema"; left out "betas"',
    ],
    [
      'one with a counter in it, wrapped',
      dict({ model: dict({ w: TENSOR, b: TENSOR, n: 1 }) }),
      'took the 2 tensors under "model"; left out of it "n", which are no tensors',
    ],
  ])('%s', (_, value, note) => {
    const found = findStateDict(value, ORIGIN);
    expect([...found.tensors.keys()]).toEqual(['w', 'b']);
    expect(found.note).toBe(note);
  });
});

describe('what is refused', () => {
  test.each<[string, PickleValue, string]>([
    ['a tensor alone', TENSOR, 'this is a single tensor without a name'],
    ['a list', { kind: 'list', items: [TENSOR] }, 'this holds no dict of tensors'],
    ['a number', 3, 'this holds no dict of tensors'],
    ['nothing', dict({}), 'its keys are none'],
    [
      'an unusual key',
      dict({ brain: TWO, epoch: 1 }),
      'its keys are "brain", "epoch"; save the tensors alone: torch.save(',
    ],
    [
      'two choices',
      dict({ model: TWO, ema: TWO }),
      `several dicts of tensors: "model" (2 tensors), "ema" (2 tensors); save the one you want, as in torch.save(torch.load('it.pt')['model'], 'weights.pt')`,
    ],
  ])('%s', (_, value, message) => {
    expect(faultOf('weights', () => findStateDict(value, ORIGIN))).toContain(message);
  });
});
