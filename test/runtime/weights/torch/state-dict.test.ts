import { describe, expect, test } from 'vitest';
import type { PickleValue } from '../../../../runtime/weights/torch/pickle-values.ts';
import { findStateDict, placeholderNotes } from '../../../../runtime/weights/torch/state-dict.ts';
import { faultOf } from '../../../fixtures/faults.ts';

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
    expect(found.notes).toEqual(note === null ? [] : [note]);
  });
});

describe('what is refused', () => {
  test.each<[string, PickleValue, string]>([
    ['a tensor alone', TENSOR, 'this is a single tensor without a name'],
    ['a list', { kind: 'list', items: [TENSOR] }, 'this holds no dict of tensors'],
    ['a number', 3, 'this holds no dict of tensors'],
    ['nothing', dict({}), 'its keys are none; save the tensors alone: torch.save('],
    [
      'an object of a class',
      { kind: 'opaque', name: 'my.UNet' },
      'this holds an object of my.UNet, and no dict of tensors',
    ],
    [
      'an unusual key',
      dict({ brain: TWO, epoch: 1 }),
      'its keys are "brain", "epoch"; name one: w.pt#brain (2 tensors)',
    ],
    [
      'two choices',
      dict({ model: TWO, ema: dict({ w: TENSOR, b: TENSOR }) }),
      'several dicts of tensors; name one: w.pt#ema (2 tensors), w.pt#model (2 tensors)',
    ],
  ])('%s', (_, value, message) => {
    expect(faultOf('weights', () => findStateDict(value, ORIGIN))).toContain(message);
  });
});

describe('keys', () => {
  const ema = dict({ w: TENSOR });
  const training = dict({
    state_dict: dict({ 'ema_0.9999': ema, model: dict({ w: TENSOR }), 'model.inner.w': TENSOR, x: TENSOR }),
    'a.b': dict({ w: TENSOR }),
    a: dict({ b: TENSOR, 'b.c': dict({ w: TENSOR }) }),
    optimizer: dict({ state: dict({}) }),
  });

  test.each<[string, string, string]>([
    ['state_dict.model', 'state_dict.model', ''],
    ['state_dict.ema_0.9999', 'state_dict.ema_0.9999', ''],
    ['state_dict', 'state_dict', ''],
    ['a.b', 'a.b', ''],
    ['a.b.c', 'a.b.c', ''],
    ['a', 'a', ''],
    ['state_dict.model.', 'state_dict.model', ''],
    ['state_dict.mod', 'state_dict', 'mod'],
    ['state_dict.model.inner.', 'state_dict.model', 'inner.'],
  ])('%s', (key, path, prefix) => {
    const found = findStateDict(training, ORIGIN, { key, file: 'w.pt' });
    expect({ path: found.path, prefix: found.prefix }).toEqual({ path, prefix });
  });

  test('a prefix alone is one of the dict that is taken without a key', () => {
    const value = dict({ state_dict: dict({ 'm.w': TENSOR, v: TENSOR }), epoch: 1 });
    expect(findStateDict(value, ORIGIN, { key: 'm.' })).toMatchObject({ path: 'state_dict', prefix: 'm.' });
  });

  test('where several are there, all are named, the averaged ones first', () => {
    const many = dict({
      net: dict({ w: TENSOR }),
      state_dict: dict({ 'ema_0.9999': dict({ w: TENSOR, b: TENSOR }), model: dict({ w: TENSOR }) }),
      optimizer: dict({ exp_avg: dict({ w: TENSOR }) }),
    });
    expect(faultOf('weights', () => findStateDict(many, ORIGIN))).toBe(
      'w.pt: this holds several dicts of tensors; name one: w.pt#state_dict.ema_0.9999 (2 tensors), ' +
        'w.pt#net (1 tensors), w.pt#state_dict.model (1 tensors)',
    );
    const message = faultOf('weights', () => findStateDict(many, ORIGIN, { key: 'emma', file: 'w.pt' }));
    expect(message).toContain('there is no dict of tensors under this key; name one: w.pt#');
  });

  test('a dict that holds itself, and one that is under two names, are looked into once', () => {
    const entries = new Map<PickleValue, PickleValue>([['w', TENSOR]]);
    const loop: PickleValue = { kind: 'dict', entries };
    entries.set('model', loop).set('ema', loop);
    expect(findStateDict(loop, ORIGIN).path).toBe('');
    expect(findStateDict(dict({ model: TWO, net: TWO }), ORIGIN).path).toBe('model');
  });
});

describe('notes on placeholders', () => {
  test('say what they stand for, and warn of what runs programs', () => {
    expect(placeholderNotes(new Set())).toEqual([]);
    expect(placeholderNotes(new Set(['argparse.Namespace', 'os.system', 'a\x1b.b']))).toEqual([
      'placeholders stand for argparse.Namespace, "a\\u001b.b", which make no tensors: nothing was imported',
      'it asks to call os.system, which no checkpoint needs: nothing was called here, but do not unpickle this file elsewhere',
    ]);
  });
});
