// Each kernel against the meaning of its ops in float64, alone and fused, on shapes that are off the beaten track.

import { afterAll, describe, expect, it } from 'vitest';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import { ACTIVATIONS, isActivation } from '../../compiler/ops/activations.ts';
import { type Shape, sizeOf } from '../../compiler/ops/op.ts';
import { buildSchedule } from '../../compiler/schedule/build.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { inputsOf, referenceOf } from '../fixtures/model-values.ts';
import { relativeError, testDevice, testTargets } from '../on-device.ts';
import { type OpsBuilder, opsOver, runOps } from '../run-ops.ts';

/** Rounding of float32 sums of a few thousand terms; an element in a wrong place is off by a thousand times more. */
const TOLERANCE = 2e-6;

type Case = readonly [name: string, ops: OpGraph];

const SEED = 5;

const VARIANTS = [
  { fuse: true, strict: false },
  { fuse: true, strict: true },
  { fuse: false, strict: true },
] as const;

function check(cases: readonly Case[]): void {
  it.each(cases)('%s', async (_, ops) => {
    const expected = referenceOf(ops, inputsOf(ops, SEED), SEED).get('output')!;
    for (const target of await testTargets()) {
      for (const how of VARIANTS) {
        const result = (await runOps(ops, SEED, { target, ...how })).get('output')!;
        expect(result.shape).toEqual(expected.shape);
        const error = relativeError(result.data, expected.data);
        expect(error, `${target.name}, ${JSON.stringify(how)}`).toBeLessThan(TOLERANCE);
      }
    }
  });
}

afterAll(async () => {
  (await testDevice()).check();
});

interface ConvOptions {
  readonly stride?: Shape;
  readonly padding?: Shape;
}

/** A convolution of a value to `outputs` channels; padding keeps the size where none is given. */
function conv(
  b: OpsBuilder,
  from: number,
  outputs: number,
  kernel: Shape,
  options: ConvOptions = {},
): number {
  const name = `conv${from}`;
  const weights = b.weights(name, [outputs, b.typeOf(from).shape[1]!, ...kernel]);
  const { stride = kernel.map(() => 1), padding = kernel.map((k) => (k - 1) / 2) } = options;
  return b.add('conv', [from, ...weights], { stride, padding }, name);
}

function norm(b: OpsBuilder, from: number, groups: number): number {
  const channels = b.typeOf(from).shape[1]!;
  return b.add('group_norm', [from, ...b.weights(`norm${from}`, [channels])], { groups, eps: 1e-5 }, 'norm');
}

const silu = (b: OpsBuilder, from: number) => b.add('silu', [from], {}, 'silu');

describe('conv', () => {
  const over = (shape: Shape, outputs: number, kernel: Shape, options: ConvOptions = {}): Case => [
    `[${shape}] to ${outputs} channels, kernel ${kernel.join('x')}, ${JSON.stringify(options)}`,
    opsOver(shape, (b) => conv(b, b.x, outputs, kernel, options)),
  ];
  check([
    over([1, 1, 1], 1, [1]),
    over([2, 3, 1, 1], 5, [3, 3]),
    over([1, 4, 7], 4, [3]),
    over([2, 6, 13], 10, [5]),
    over([2, 18, 5, 7], 33, [3, 3]),
    over([1, 5, 2, 3, 5], 7, [3, 3, 3]),
    over([1, 8, 3, 4, 5], 6, [1, 3, 3]),
    over([2, 8, 5, 7], 8, [3, 3], { stride: [2, 2] }),
    over([1, 8, 9], 8, [3], { stride: [2] }),
    over([1, 8, 3, 5, 7], 8, [3, 3, 3], { stride: [1, 2, 2] }),
    over([1, 8, 6, 6], 8, [3, 3], { padding: [0, 0] }),
    over([1, 8, 6, 5], 8, [2, 4], { padding: [1, 0], stride: [3, 1] }),
    // one behind the last pixel alone, with what is stored behind a sample in memory
    over([2, 8, 6, 4], 8, [3, 3], { stride: [2, 2], padding: [0, 0, 1, 1] }),
    over([2, 8, 8], 6, [3], { stride: [2], padding: [0, 1] }),
    over([1, 8, 3, 4, 6], 8, [3, 3, 3], { stride: [1, 2, 2], padding: [1, 0, 0, 1, 1, 1] }),
    over([2, 5, 4, 5], 7, [3, 3], { padding: [2, 0, 0, 3] }),
    over([1, 16, 4, 4], 100, [1, 1]),
    over([1, 100, 4, 4], 16, [3, 3]),
    // every tile: 16x32, 32x32, 32x64, 64x64, with a rest in each
    over([1, 3, 16, 17], 32, [3, 3]),
    over([1, 3, 33, 32], 32, [3, 3]),
    over([1, 3, 33, 32], 68, [3, 3]),
    over([2, 3, 65, 33], 64, [3, 3]),
  ]);
});

describe('conv_transpose', () => {
  const over = (shape: Shape, outputs: number, kernel: Shape, stride: Shape): Case => [
    `[${shape}] to ${outputs} channels, kernel ${kernel.join('x')}, stride ${stride.join('x')}`,
    opsOver(shape, (b) => {
      const weights = b.weights('up', [shape[1]!, outputs, ...kernel], outputs);
      return b.add(
        'conv_transpose',
        [b.x, ...weights],
        { stride, padding: kernel.map(() => 1), output_padding: kernel.map(() => 0) },
        'up',
      );
    }),
  ];
  check([
    over([2, 4, 1], 4, [4], [2]),
    over([1, 6, 7], 9, [4], [2]),
    over([2, 8, 3, 5], 8, [4, 4], [2, 2]),
    over([1, 20, 1, 1], 36, [4, 4], [2, 2]),
    over([1, 8, 2, 3, 3], 8, [3, 4, 4], [1, 2, 2]),
    over([1, 4, 5, 4], 4, [3, 3], [3, 1]),
  ]);
});

describe('rescale', () => {
  const moved = (b: OpsBuilder, from: number) =>
    b.add('rescale', [from], { factor: 2, offset: -1 }, 'rescale');
  check([
    ['of an image', opsOver([2, 3, 5, 7], (b) => moved(b, b.x))],
    ['in front of a convolution', opsOver([1, 3, 6, 4], (b) => conv(b, moved(b, b.x), 8, [3, 3]))],
    ['behind one', opsOver([1, 6, 6], (b) => moved(b, conv(b, b.x, 5, [3])))],
  ]);
});

describe('what is fused into a convolution', () => {
  const over = (name: string, shape: Shape, body: (b: OpsBuilder) => number): Case => [
    `${name} over [${shape}]`,
    opsOver(shape, body),
  ];
  const norms = (channels: number) => (channels % 32 === 0 ? 32 : 4);
  const shapes: readonly Shape[] = [
    [2, 32, 1, 9],
    [2, 8, 5, 7],
    [1, 96, 3],
    [1, 12, 2, 3, 3],
  ];
  check(
    shapes.flatMap((shape) => {
      const channels = shape[1]!;
      const kernel = shape.slice(2).map(() => 3);
      const ones = shape.slice(2).map(() => 1);
      const doubled = shape.slice(2).map((_, i) => (i === 0 && shape.length === 5 ? 1 : 2));
      const embed = (b: OpsBuilder, width: number) => b.embed(width);
      return [
        over('group_norm, silu', shape, (b) => conv(b, silu(b, norm(b, b.x, norms(channels))), 8, kernel)),
        over('group_norm, film, silu', shape, (b) => {
          const scaled = b.add('film', [norm(b, b.x, norms(channels)), embed(b, 2 * channels)], {}, 'film');
          return conv(b, silu(b, scaled), 8, kernel);
        }),
        over('group_norm', shape, (b) => conv(b, norm(b, b.x, norms(channels)), 8, ones)),
        over('nearest upsampling', shape, (b) => {
          const up = b.add('upsample_nearest', [b.x], { factor: doubled }, 'up');
          return conv(b, up, 8, kernel);
        }),
        over('channel_add, then group_norm of the result', shape, (b) => {
          const h = conv(b, b.x, 32, kernel);
          const added = b.add('channel_add', [h, embed(b, 32)], {}, 'time');
          return conv(b, silu(b, norm(b, added, 32)), 4, kernel);
        }),
        over('residual', shape, (b) => {
          const h = conv(b, conv(b, b.x, 8, kernel), channels, kernel);
          return b.add('add', [b.x, h], {}, 'residual');
        }),
        over('1x1 skip', shape, (b) => {
          const skip = conv(b, b.x, 12, ones);
          return b.add('add', [skip, conv(b, silu(b, b.x), 12, kernel)], {}, 'block');
        }),
        over('concat in both branches', shape, (b) => {
          const joined = b.add('concat', [b.x, conv(b, b.x, 20, ones)], {}, 'concat');
          const width = b.typeOf(joined).shape[1]!;
          const skip = conv(b, joined, 8, ones);
          const h = silu(b, norm(b, joined, width / 4));
          return b.add('add', [skip, conv(b, h, 8, kernel)], {}, 'block');
        }),
      ];
    }),
  );
});

describe.each(Object.keys(ACTIVATIONS).filter(isActivation))('the activation function %s', (name) => {
  const act = (b: OpsBuilder, from: number) => b.add(name, [from], {}, name);
  const on = (where: string, shape: Shape, body: (b: OpsBuilder) => number): Case => [
    `${where} over [${shape}]`,
    opsOver(shape, body),
  ];
  check([
    on('in a map', [2, 6, 5, 7], (b) => act(b, b.x)),
    on('behind a norm in a map', [2, 8, 5, 7], (b) => act(b, norm(b, b.x, 2))),
    on('in front of a convolution', [2, 8, 5, 7], (b) => conv(b, act(b, b.x), 8, [3, 3])),
    on('between norm and convolution', [2, 8, 5, 7], (b) => conv(b, act(b, norm(b, b.x, 2)), 8, [3, 3])),
    on("in front of a convolution by Winograd's algorithm", [1, 64, 16, 16], (b) =>
      conv(b, act(b, norm(b, b.x, 4)), 64, [3, 3]),
    ),
    on('in front of and behind a linear layer', [3, 1, 1], (b) => {
      const weights = b.weights('linear', [70, 33]);
      return act(b, b.add('linear', [act(b, b.embed(33)), ...weights], {}, 'linear'));
    }),
  ]);
});

describe("a convolution that is wide enough for Winograd's algorithm", () => {
  // tiles of two and of four pixels, whole and cut at the edges; more and fewer than a subgroup has lanes
  const shapes: readonly Shape[] = [
    [2, 256, 8, 8],
    [1, 68, 14, 14],
    [2, 64, 17, 30],
  ];
  check(
    shapes.flatMap((shape): Case[] => {
      const on = (name: string, body: (b: OpsBuilder) => number): Case => [
        `${name} over [${shape}]`,
        opsOver(shape, body),
      ];
      return [
        on('alone', (b) => conv(b, b.x, 68, [3, 3])),
        on('behind norm, film and silu, with a residual', (b) => {
          const scaled = b.add('film', [norm(b, b.x, 4), b.embed(2 * shape[1]!)], {}, 'film');
          const h = conv(b, silu(b, scaled), shape[1]!, [3, 3]);
          return b.add('add', [b.x, h], {}, 'residual');
        }),
        on('with a time embedding and a norm behind it', (b) => {
          const h = conv(b, silu(b, b.x), 64, [3, 3]);
          const added = b.add('channel_add', [h, b.embed(64)], {}, 'time');
          return silu(b, norm(b, added, 32));
        }),
        on('of a concat that is normed', (b) => {
          const joined = b.add('concat', [conv(b, b.x, 36, [1, 1]), b.x], {}, 'concat');
          return conv(b, silu(b, norm(b, joined, 4)), 64, [3, 3]);
        }),
        on('behind an upsampling, with a norm in front of both', (b) => {
          const h = silu(b, norm(b, b.x, 4));
          const up = b.add('upsample_nearest', [h], { factor: [2, 2] }, 'up');
          return norm(b, conv(b, up, 64, [3, 3]), 32);
        }),
        on('with a skip convolution and activation behind it', (b) => {
          const h = conv(b, silu(b, norm(b, b.x, 4)), 72, [3, 3]);
          return silu(b, b.add('add', [conv(b, b.x, 72, [1, 1]), h], {}, 'skip'));
        }),
        on('of a value that was written in another shape', (b) => {
          const [batch = 1, channels = 1, height = 1, width = 1] = shape;
          const row = b.add('reshape', [b.x], { shape: [batch, channels, height * width] }, 'row');
          const image = b.add('reshape', [conv(b, row, channels, [1])], { shape }, 'image');
          return conv(b, image, 64, [3, 3]);
        }),
      ];
    }),
  );
});

describe('group_norm', () => {
  const over = (shape: Shape, groups: number): Case => [
    `[${shape}] in ${groups} groups`,
    opsOver(shape, (b) => norm(b, b.x, groups)),
  ];
  check([
    over([1, 8, 1, 3], 1),
    over([2, 32, 5], 32),
    over([2, 64, 1], 2),
    over([3, 96, 7, 3], 32), // groups of 3 channels lie across quads
    over([1, 32, 257], 4), // one pixel more than a tile
    over([1, 32, 3, 16, 16], 32),
    over([1, 128, 40, 40], 1), // more tiles than a reader combines: they are merged first
    over([2, 40, 63, 65], 4),
  ]);

  // from one group to one a channel; groups end inside quads, and the last quad is not full
  const groupings: readonly (readonly [channels: number, groups: number])[] = [
    [70, 5],
    [70, 7],
    [66, 33],
    [66, 66],
    [96, 2],
    [96, 3],
    [96, 8],
    [96, 48],
    [192, 64],
    [192, 96],
  ];
  check(groupings.map(([channels, groups]) => over([2, channels, 5, 3], groups)));
  check(
    groupings.flatMap(([channels, groups]): Case[] => {
      const [first, inner] = [40, channels - 40];
      const pointwise = (b: OpsBuilder, outputs: number) => conv(b, b.x, outputs, [1, 1]);
      return [
        [
          `${groups} groups of ${channels} channels between convolutions`,
          opsOver([1, 5, 17, 33], (b) =>
            conv(b, silu(b, norm(b, pointwise(b, channels), groups)), 6, [3, 3]),
          ),
        ],
        [
          `${groups} groups of ${first} and ${inner} channels`,
          opsOver([2, inner, 9, 17], (b) => {
            const joined = b.add('concat', [pointwise(b, first), b.x], {}, 'concat');
            return conv(b, silu(b, norm(b, joined, groups)), 6, [3, 3]);
          }),
        ],
      ];
    }),
  );

  it('of more groups than threads that prepare them reads statistics of one tile', () => {
    const ops = opsOver([1, 66, 33, 32], (b) => norm(b, b.x, 66));
    const { groups } = buildSchedule(ops);
    expect(groups.map(({ kind }) => kind)).toEqual(['statistics', 'merge_statistics', 'map']);
  });

  // in float32, E[x²] − E[x]² would leave no digit of this variance
  it.each([
    ['of a written activation', (b: OpsBuilder) => norm(b, b.x, 4)],
    ['by the convolution that writes it', (b: OpsBuilder) => norm(b, conv(b, b.x, 32, [1, 1]), 4)],
  ])('keeps a variance a millionth of the squared mean, %s', async (_, body) => {
    const ops = opsOver([1, 32, 24, 25], body);
    const inputs = inputsOf(ops, SEED);
    const x = { ...inputs.x, data: inputs.x.data.map((v) => 1000 + v) };
    const read = (name: string, shape: Shape) =>
      name.startsWith('conv')
        ? Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 33 === 0 && shape.length > 1 ? 1 : 0))
        : hashTensor(name, shape, SEED);
    const given = { ...inputs, x };
    const expected = referenceOf(ops, given, SEED, read).get('output')!;
    for (const target of await testTargets()) {
      const result = (await runOps(ops, SEED, { target, inputs: given, read })).get('output')!;
      expect(relativeError(result.data, expected.data), target.name).toBeLessThan(1e-3);
    }
  });
});

describe('group_norm_gradient', () => {
  // groups that lie across quads, a last quad that is not full, and up to two gradients of other readers that are added
  const over = (shape: Shape, groups: number, others: number): Case => [
    `[${shape}] in ${groups} groups with ${others} added`,
    opsOver(shape, (b) => {
      const [weight] = b.weights('norm', [shape[1]!]);
      const g = b.image(shape.slice(2));
      const gradient = b.add('group_norm_gradient', [b.x, weight!, g], { groups, eps: 1e-5 }, 'gradient');
      return Array.from({ length: others }).reduce<number>(
        (sum, _, i) => b.add('add', i === 0 ? [b.x, sum] : [sum, g], {}, 'add'),
        gradient,
      );
    }),
  ];
  const shapes: readonly (readonly [Shape, number])[] = [
    [[2, 8, 5, 7], 2],
    [[3, 96, 3, 3], 32],
    [[1, 66, 9], 33],
    [[2, 8, 3, 4, 2], 8],
  ];
  check(shapes.flatMap(([shape, groups]) => [0, 1, 2, 3].map((others) => over(shape, groups, others))));
});

describe('linear', () => {
  const sizes = [1, 3, 4, 63, 64, 65, 257, 300];
  check(
    sizes.flatMap((inputs, i) => {
      const outputs = sizes[(i * 3 + 1) % sizes.length]!;
      const build = (b: OpsBuilder) =>
        b.add('linear', [b.embed(inputs), ...b.weights('linear', [outputs, inputs])], {}, 'linear');
      return [
        [`${inputs} to ${outputs}`, opsOver([3, 1, 1], build)] as const,
        [
          `silu, ${inputs} to ${outputs}, label embedding, silu`,
          opsOver([3, 1, 1], (b) => {
            const activated = silu(b, b.embed(inputs));
            const e = b.add('linear', [activated, ...b.weights('linear', [outputs, inputs])], {}, 'linear');
            const table = b.param('label_emb.weight', [7, outputs]);
            const label = b.add('embedding', [table, b.labels()], {}, 'label_emb');
            return silu(b, b.add('add', [e, label], {}, 'label_emb'));
          }),
        ] as const,
      ];
    }),
  );
});

describe('embedding', () => {
  check(
    (
      [
        [1, 1],
        [10, 3],
        [3, 70],
        [1000, 260],
      ] as const
    ).map(
      ([rows, width]): Case => [
        `${rows} rows of ${width}`,
        opsOver([5, 1, 1], (b) =>
          b.add('embedding', [b.param('label_emb.weight', [rows, width]), b.labels()], {}, 'label_emb'),
        ),
      ],
    ),
  );
});

describe('attention', () => {
  const widths = [1, 3, 33, 64, 96, 130];
  const positions = [1, 31, 33, 100];
  check(
    widths.flatMap((width, i) =>
      positions.map((length, k): Case => {
        const heads = ((i + k) % 3) + 1;
        const order = (i + k) % 2 === 0 ? 'heads_first' : 'qkv_first';
        return [
          `${heads} heads of ${width} channels, ${length} positions, ${order}`,
          opsOver([2, 3 * heads * width, length], (b) =>
            b.add('attention', [b.x], { heads, order }, 'attention'),
          ),
        ];
      }),
    ),
  );
});

describe('attention_gradient', () => {
  // scores of 256 keys are kept between two rounds, those of more are computed twice
  const over = (length: number, width: number, heads: number): Case => [
    `${heads} heads of ${width} channels, ${length} positions`,
    opsOver([2, 3 * heads * width, length], (b) => {
      const g = conv(b, b.x, heads * width, [1]);
      return b.add('attention_gradient', [b.x, g], { heads, order: 'heads_first' }, 'gradient');
    }),
  ];
  check([over(16, 32, 2), over(255, 4, 1), over(256, 8, 2), over(257, 4, 1), over(300, 36, 1)]);
});

describe('resampling', () => {
  const pool = (shape: Shape, kernel: Shape): Case => [
    `avg_pool of [${shape}] by ${kernel.join('x')}`,
    opsOver(shape, (b) => b.add('avg_pool', [b.x], { kernel }, 'pool')),
  ];
  const nearest = (shape: Shape, factor: Shape): Case => [
    `upsample_nearest of [${shape}] by ${factor.join('x')}`,
    opsOver(shape, (b) => b.add('upsample_nearest', [b.x], { factor }, 'up')),
  ];
  const linear = (from: Shape, size: Shape): Case => [
    `upsample_linear of [${from}] to [${size}]`,
    opsOver([2, 3, ...size], (b) => b.add('upsample_linear', [b.image(from)], { size }, 'up')),
  ];
  check([
    pool([2, 5, 6], [2]),
    pool([1, 32, 4, 6], [2, 2]),
    pool([2, 3, 3, 4, 2], [1, 2, 2]),
    pool([1, 4, 9, 3], [3, 1]),
    nearest([2, 5, 3], [2]),
    nearest([1, 9, 1, 1], [2, 2]),
    nearest([2, 4, 3, 2, 3], [1, 2, 2]),
    nearest([1, 4, 2, 3], [3, 1]),
    linear([7], [16]),
    linear([1, 1], [4, 6]),
    linear([5, 3], [8, 8]),
    linear([9, 16], [4, 5]),
    linear([2, 3, 5], [4, 6, 4]),
    linear([24, 20], [36, 50]),
  ]);
});

describe('residual blocks that halve and double the size', () => {
  const blocks = (shape: Shape, groups: number): readonly Case[] => {
    const channels = shape[1]!;
    const kernel = shape.slice(2).map(() => 3);
    const factor = shape.length === 5 ? [1, 2, 2] : shape.slice(2).map(() => 2);
    const on = (name: string, body: (b: OpsBuilder) => number): Case => [
      `${name} of [${shape}]`,
      opsOver(shape, body),
    ];
    const pool = (b: OpsBuilder, x: number) => b.add('avg_pool', [x], { kernel: factor }, 'pool');
    const repeat = (b: OpsBuilder, x: number) => b.add('upsample_nearest', [x], { factor }, 'repeat');
    const block = (resize: typeof pool) => (b: OpsBuilder) => {
      const h = conv(b, resize(b, silu(b, norm(b, b.x, groups))), channels, kernel);
      return b.add('add', [resize(b, b.x), conv(b, silu(b, h), channels, kernel)], {}, 'block');
    };
    const filmed = (b: OpsBuilder, x: number) =>
      b.add('film', [norm(b, x, groups), b.embed(2 * b.typeOf(x).shape[1]!)], {}, 'film');
    return [
      on('a pooled norm', (b) => pool(b, silu(b, norm(b, b.x, groups)))),
      on('a pooled activation', (b) => pool(b, silu(b, b.x))),
      on('a block that halves', block(pool)),
      on('a block that doubles', block(repeat)),
      on('a norm behind a block that halves', (b) => silu(b, norm(b, block(pool)(b), groups))),
      ...(channels % 4 === 0
        ? [
            on('a pooled norm and film', (b) => pool(b, silu(b, filmed(b, b.x)))),
            on('a convolution of a repeated norm and film', (b) =>
              conv(b, repeat(b, silu(b, filmed(b, b.x))), 8, kernel),
            ),
            on('a pooled norm and film of a concat', (b) => {
              const joined = b.add('concat', [b.x, b.image(shape.slice(2))], {}, 'concat');
              return pool(b, silu(b, filmed(b, joined)));
            }),
          ]
        : []),
    ];
  };
  check([
    ...blocks([2, 8, 6], 2),
    ...blocks([1, 4, 2, 2], 1),
    ...blocks([2, 6, 4, 6], 3),
    ...blocks([1, 36, 20, 18], 4),
    ...blocks([2, 8, 3, 4, 2], 2),
  ]);
});

describe('maps', () => {
  const shapes: readonly Shape[] = [
    [2, 4, 1],
    [1, 3, 5, 7],
    [3, 36, 9],
    [1, 8, 2, 3, 5],
  ];
  check(
    shapes.flatMap((shape): Case[] => {
      const [batch, channels] = [shape[0]!, shape[1]!];
      const on = (name: string, body: (b: OpsBuilder) => number): Case => [
        `${name} over [${shape}]`,
        opsOver(shape, body),
      ];
      return [
        on('silu', (b) => silu(b, b.x)),
        on('add', (b) => b.add('add', [b.x, b.image(shape.slice(2))], {}, 'add')),
        on('channel_add', (b) => b.add('channel_add', [b.x, b.embed(channels)], {}, 'channel_add')),
        on('concat', (b) => b.add('concat', [b.x, b.image(shape.slice(2))], {}, 'concat')),
        ...(channels % 4 === 0
          ? [on('film', (b) => b.add('film', [b.x, b.embed(2 * channels)], {}, 'film'))]
          : []),
        on('a slice of a wide projection', (b) => {
          const rows = b.add(
            'linear',
            [b.embed(6), ...b.weights('rows', [8 + channels, 6])],
            {},
            'time_projections',
          );
          const mine = b.add('slice', [rows], { start: 8, end: 8 + channels }, 'block');
          expect(b.typeOf(mine).shape).toEqual([batch, channels]);
          return b.add('channel_add', [b.x, mine], {}, 'channel_add');
        }),
      ];
    }),
  );

  it('more quads than one grid has threads', async () => {
    const ops = opsOver([1, 4, 1024, 1030], (b) => silu(b, b.x));
    const { x } = inputsOf(ops, SEED);
    const result = (await runOps(ops, SEED)).get('output')!;
    const expected = x.data.map((v) => v / (1 + Math.exp(-v)));
    expect(relativeError(result.data, expected)).toBeLessThan(TOLERANCE);
  });
});
