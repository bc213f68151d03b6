import { describe, expect, test } from 'vitest';
import { hashWeights } from '../../../runtime/weights/hash.ts';
import { matchWeights } from '../../../runtime/weights/match.ts';
import { nearestName } from '../../../runtime/weights/nearest-name.ts';
import type { TensorInfo, WeightSource } from '../../../runtime/weights/source.ts';
import { faultOf } from '../../fixtures/faults.ts';

const NEEDED: readonly TensorInfo[] = [
  { name: 'input_blocks.0.0.weight', shape: [32, 1, 3, 3] },
  { name: 'input_blocks.0.0.bias', shape: [32] },
  { name: 'out.2.weight', shape: [2, 32, 3, 3] },
];

/** A source of the given tensors that fills each with its index. */
function source(tensors: readonly TensorInfo[], notes?: readonly string[]): WeightSource {
  return {
    label: 'w.pt',
    tensors,
    ...(notes === undefined ? {} : { notes }),
    read: (name) => Float32Array.of(tensors.findIndex((tensor) => tensor.name === name)),
    close() {},
  };
}

function renamed(rename: (name: string) => string): readonly TensorInfo[] {
  return NEEDED.map(({ name, shape }) => ({ name: rename(name), shape }));
}

describe('what fits', () => {
  test('the same tensors in another order, with the notes of their source', () => {
    const matched = matchWeights(NEEDED, source(NEEDED.toReversed(), ['a note']));
    expect(matched.notes).toEqual(['a note']);
    expect(NEEDED.map(({ name }) => matched.read(name)[0])).toEqual([2, 1, 0]);
  });

  test.each(['module.', 'model.', '_orig_mod.module.'])('all under the prefix %s', (prefix) => {
    const matched = matchWeights(NEEDED, source(renamed((name) => prefix + name)));
    expect(matched.notes).toEqual([`took the prefix "${prefix}" off every tensor's name`]);
    expect(matched.names.get('out.2.weight')).toBe(`${prefix}out.2.weight`);
    expect(matched.read('out.2.weight')[0]).toBe(2);
  });

  test('a formula makes every tensor', () => {
    const hash = hashWeights('hash:1')!;
    const matched = matchWeights(NEEDED, hash);
    expect(matched.notes).toEqual([]);
    expect(matched.read('out.2.weight')).toEqual(hash.read('out.2.weight', [2, 32, 3, 3]));
    expect(() => matched.read('other')).toThrow('internal: other is not among the expected tensors');
  });
});

describe('what does not fit', () => {
  test('everything is listed with the nearest names and shapes', () => {
    const others = [
      { name: 'input_block.0.0.weight', shape: [32, 1, 3, 3] },
      { name: 'input_blocks.0.0.bias', shape: [64] },
      { name: 'out.2.weight', shape: [1, 32, 3, 3] },
      { name: 'label_emb.weight', shape: [10, 128] },
    ];
    expect(faultOf('weights', () => matchWeights(NEEDED, source(others)))).toBe(
      [
        'w.pt: the weights do not fit the graph, which has 3 tensors: 1 missing, 2 unexpected, 2 of another shape; ' +
          'name the checkpoint of this graph, or the graph of this checkpoint',
        '  missing: input_blocks.0.0.weight [32, 1, 3, 3]; the nearest is input_block.0.0.weight [32, 1, 3, 3]',
        '  unexpected: input_block.0.0.weight [32, 1, 3, 3]; the nearest is input_blocks.0.0.weight [32, 1, 3, 3]',
        '  unexpected: label_emb.weight [10, 128]',
        '  shape: input_blocks.0.0.bias [64]; the graph needs [32]',
        '  shape: out.2.weight [1, 32, 3, 3]; the graph needs [2, 32, 3, 3]',
      ].join('\n'),
    );
  });

  test('a prefix on some names only is not taken off, and shows in the nearest names', () => {
    const tensors = [...renamed((name) => `ema.${name}`), ...renamed((name) => `model.${name}`)];
    const message = faultOf('weights', () => matchWeights(NEEDED, source(tensors)));
    expect(message).toContain('3 missing, 6 unexpected;');
    expect(message).toContain(
      'missing: out.2.weight [2, 32, 3, 3]; the nearest is ema.out.2.weight [2, 32, 3, 3]',
    );
  });

  test('nothing is taken off where a name fits as it is', () => {
    const needed = [
      { name: 'skip.weight', shape: [1] },
      { name: 'weight', shape: [1] },
    ];
    const message = faultOf('weights', () => matchWeights(needed, source(needed.slice(0, 1))));
    expect(message.split('\n').slice(1)).toEqual(['  missing: weight [1]']);
  });

  test('a misfit under a prefix is told without it', () => {
    const tensors = renamed((name) => `module.${name}`).slice(1);
    const message = faultOf('weights', () => matchWeights(NEEDED, source(tensors)));
    expect(message).toContain('1 missing;');
    expect(message.split('\n').slice(1)).toEqual(['  missing: input_blocks.0.0.weight [32, 1, 3, 3]']);
  });

  test('the list is bounded, and a name is never written raw', () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ name: `\u001b[2J${i}`, shape: [1] }));
    const message = faultOf('weights', () => matchWeights(NEEDED, source(many)));
    expect(message).toContain('3 missing, 500 unexpected;');
    expect(message).toContain('  unexpected: … and 490 more');
    expect(message).toContain('unexpected: "\\u001b[2J0" [1]');
    expect(message).not.toContain('\u001b');
    expect(message.split('\n').length).toBe(1 + 3 + 11);
  });

  test('an empty checkpoint', () => {
    expect(faultOf('weights', () => matchWeights(NEEDED, source([])))).toContain('3 missing;');
  });
});

test.each([
  ['out.2.weight', ['out.0.weight', 'out.2.bias'], 'out.0.weight'],
  [
    'out.2.weight',
    ['model.diffusion_model.out.2.weight', 'out.2.weights'],
    'model.diffusion_model.out.2.weight',
  ],
  ['out.2.weight', ['completely different'], null],
  ['out.2.weight', [], null],
])('nearest to %s of %j', (name, candidates, expected) => {
  expect(nearestName(name, candidates)).toBe(expected);
});

describe('more than the graph has', () => {
  const extra = [...NEEDED, { name: 'extra.weight', shape: [3, 3] }];

  test('is a misfit that says how to leave it out, with the notes of the source', () => {
    const message = faultOf('weights', () => matchWeights(NEEDED, source(extra, ['a note'])));
    expect(message).toContain('1 unexpected');
    expect(message).toContain('--allow-unexpected (allowUnexpected in programs) leaves out the rest');
    expect(message.endsWith('  note: a note')).toBe(true);
  });

  test('is left out where that is asked for, and listed', () => {
    const matched = matchWeights(NEEDED, source(extra), { allowUnexpected: true });
    expect(matched.notes).toEqual([
      'left out 1 tensors that the graph does not have:\n  left out: extra.weight [3, 3]',
    ]);
    expect(matched.read('out.2.weight')[0]).toBe(2);
  });

  test('missing tensors and other shapes stay errors', () => {
    const less = extra.slice(1);
    const message = faultOf('weights', () => matchWeights(NEEDED, source(less), { allowUnexpected: true }));
    expect(message).toContain('1 missing, 1 unexpected');
    expect(message).not.toContain('--allow-unexpected');
    const reshaped = extra.map((tensor) => ({ ...tensor, shape: [1] }));
    expect(
      faultOf('weights', () => matchWeights(NEEDED, source(reshaped), { allowUnexpected: true })),
    ).toContain('3 of another shape');
  });
});

describe('a model inside a larger one', () => {
  const inside = (prefix: string) => renamed((name) => prefix + name);

  test('is named by the prefixes that fit, those of averaged weights first', () => {
    const larger = {
      ...source([...inside('model.unet.'), ...inside('model_ema.'), ...inside('part.').slice(1)]),
      stem: 'w.pt#state_dict.',
    };
    const lines = faultOf('weights', () => matchWeights(NEEDED, larger)).split('\n');
    expect(lines.filter((line) => line.includes('under a prefix'))).toEqual([
      '  what fits the graph lies under a prefix: w.pt#state_dict.model_ema.',
      '  what fits the graph lies under a prefix: w.pt#state_dict.model.unet.',
    ]);
  });
});
