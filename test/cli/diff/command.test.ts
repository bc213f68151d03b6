// `unetc diff` as it is called: sides of every kind, exit codes, accepted findings, rename maps, git.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import type { DiffDocument } from '../../../engine/diff/document.ts';
import { hashTensor } from '../../../runtime/weights/hash.ts';
import { readTensors } from '../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { patched } from '../../fixtures/diff-sides.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const at = temporaryFolder();

function save(name: string, file: object): string {
  writeFileSync(at(name), JSON.stringify(file, null, 2));
  return at(name);
}

const base = () => save('a.json', patched({}));
const heads = () => save('heads.json', patched({ unet: { num_heads: 4 } }));
const dropout = () => save('dropout.json', patched({ unet: { dropout: 0.1 } }));

const diff = (...words: readonly string[]) => unetcJson<DiffDocument>('diff', ...words);

/** Weights of a graph by the formula of `hash:1`. */
function checkpoint(graph: string, name: string, prefix = ''): string {
  const list = parameters(loadGraph(readFileSync(graph, 'utf8'), graph).graph);
  const tensors = list.map(
    ({ name: key, shape }) => [prefix + key, { shape, data: hashTensor(key, shape, 1) }] as const,
  );
  writeFileSync(at(name), writeTensors(new Map(tensors)));
  return at(name);
}

describe('exit codes', () => {
  test.each([
    ['no change', base, [], 0],
    ['breaking', heads, [], 1],
    ['info', dropout, [], 0],
    ['info, where it fails', dropout, ['--fail-on', 'info'], 1],
    ['info, where dangerous fails', dropout, ['--fail-on', 'dangerous'], 0],
    ['breaking, where nothing fails', heads, ['--fail-on', 'never'], 0],
  ])('%s', async (_, to, more, exit) => {
    expect((await unetc('diff', base(), to(), ...more)).exit).toBe(exit);
  });

  test('words that are off, and files that cannot be written, before anything is read', async () => {
    const none = at('none.json');
    const called = (...words: readonly string[]) => unetcJson('diff', ...words);
    expect(await called(none)).toMatchObject({ exit: 2, error: { message: /^found 1 side, / } });
    expect(await called(none, none, '--format', 'nope')).toMatchObject({ exit: 2 });
    for (const option of ['--rename-map', '--write-accepted']) {
      expect(await called(none, none, option, at())).toMatchObject({ exit: 9, error: { kind: 'output' } });
    }
  });

  test('a side that cannot be read is never without changes', async () => {
    writeFileSync(at('broken.json'), '{');
    writeFileSync(at('broken.safetensors'), 'x');
    mkdirSync(at('folder'));
    const sides = [
      [at('none.json'), 3],
      [at('broken.json'), 3],
      [at('none.pt'), 4],
      [at('broken.safetensors'), 4],
      [at('folder'), 6],
      ['git:HEAD:no/such.json', 3],
      ['git:no-such-ref:graphs/mnist.json', 3],
      ['git:HEAD:no/such.pt', 4],
      ['git:HEAD', 2],
    ] as const;
    for (const [side, exit] of sides) {
      for (const words of [
        [base(), side],
        [side, base()],
        [side, side],
      ]) {
        const found = await unetc('diff', ...words, '--fail-on', 'never');
        expect([found.exit, found.stdout], side).toEqual([exit, '']);
      }
    }
    const { stdout } = await unetc('diff', base(), at('none.json'), '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'graph', exit: 3 } });
  });

  test.each([
    [['--format', 'xml'], "--format: found 'xml'"],
    [['--fail-on', 'all'], "--fail-on: found 'all'"],
    [['--write-accepted'], '--write-accepted: say into which file'],
    [['--reason', 'x'], '--reason goes with --write-accepted'],
    [['third.json'], 'found 3 sides, expected two'],
    [['--base', 'HEAD', '--write-rename-map', 'map.json'], '--write-rename-map is of two graphs'],
    [['--base', 'HEAD', '--format', 'html'], '--format html is of two graphs'],
    [['--base', 'no-such-branch'], '--base: this repository does not have no-such-branch'],
    [['--target', 'quantum'], "--target: found 'quantum'"],
  ])('%j is off', async (words, message) => {
    const { exit, stderr } = await unetc('diff', base(), heads(), ...words);
    expect(exit).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('accepted findings', () => {
  test('do not fail, carry their reason, and are told when they no longer occur', async () => {
    const file = at('accepted.json');
    const written = await unetc(
      'diff',
      base(),
      heads(),
      '--write-accepted',
      file,
      '--reason',
      'trained anew',
    );
    expect(written.exit).toBe(0);
    const found = await diff(base(), heads(), '--accept', file);
    expect(found).toMatchObject({ exit: 0, summary: { breaking: 0, accepted: 4, failing: 0 } });
    expect(found.findings.map(({ accepted }) => accepted)).toEqual(Array(4).fill('trained anew'));
    const changed = save('heads.json', patched({ unet: { dropout: 0.1 } }));
    expect((await diff(base(), changed, '--accept', file)).stale).toHaveLength(4);
    expect((await unetc('diff', base(), changed, '--accept', file)).stdout).toContain('no longer occurs');
    const more = save('heads.json', patched({ unet: { num_heads: 8 } }));
    expect(await diff(base(), more, '--accept', file)).toMatchObject({ exit: 1, summary: { breaking: 4 } });
  });

  test('belong to a graph: another one with the same findings fails, and has entries of its own', async () => {
    const file = at('accepted.json');
    const other = save('other.json', patched({ unet: { num_heads: 4 } }));
    await unetc('diff', base(), heads(), '--write-accepted', file, '--reason', 'first');
    expect(await diff(base(), other, '--accept', file)).toMatchObject({ exit: 1, stale: [] });
    await unetc('diff', base(), other, '--accept', file, '--write-accepted', '--reason', 'second');
    for (const [graph, reason] of [
      [heads(), 'first'],
      [other, 'second'],
    ] as const) {
      const { exit, findings } = await diff(base(), graph, '--accept', file);
      expect([exit, ...findings.map(({ accepted }) => accepted)]).toEqual([0, ...Array(4).fill(reason)]);
    }
  });

  test('of a graph in git are those of its file', async () => {
    const file = at('accepted.json');
    await unetc('diff', base(), heads(), '--write-accepted', file);
    const git = (...words: readonly string[]) => execFileSync('git', words, { cwd: at() });
    git('init', '-q');
    git('add', '.');
    git('-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '-qm', 'a');
    const here = process.cwd();
    process.chdir(at());
    try {
      expect(await diff('a.json', 'git:HEAD:heads.json', '--accept', 'accepted.json')).toMatchObject({
        exit: 0,
      });
    } finally {
      process.chdir(here);
    }
  });

  /** What a file has of a graph. */
  const entries = (file: string, graph: string): Readonly<Record<string, { reason: string }>> =>
    JSON.parse(readFileSync(file, 'utf8')).graphs[graph] ?? {};

  test('written again, keep their reasons and lose what no longer occurs', async () => {
    const file = at('accepted.json');
    await unetc('diff', base(), heads(), '--write-accepted', file, '--reason', 'first');
    const both = save('heads.json', patched({ unet: { num_heads: 4 }, diffusion: { predict: 'x_start' } }));
    await unetc('diff', base(), both, '--accept', file, '--write-accepted', '--reason', 'second');
    const reasons = Object.values(entries(file, 'heads.json')).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual([...Array(4).fill('first'), 'second']);
    const changed = save('heads.json', patched({ unet: { dropout: 0.1 } }));
    await unetc('diff', base(), changed, '--write-accepted', file);
    expect(entries(file, 'heads.json')).toEqual({});
  });

  test('of version 1 are of no graph: refused, and written anew with their reasons', async () => {
    const file = at('accepted.json');
    await unetc('diff', base(), heads(), '--write-accepted', file, '--reason', 'kept');
    const accepted = entries(file, 'heads.json');
    writeFileSync(file, JSON.stringify({ version: 1, accepted }));
    const { exit, stderr } = await unetc('diff', base(), heads(), '--accept', file);
    expect(exit).toBe(5);
    expect(stderr).toContain(
      'write it anew, which keeps the reasons of what still occurs, with --write-accepted',
    );
    await unetc('diff', base(), heads(), '--write-accepted', file);
    expect(entries(file, 'heads.json')).toEqual(accepted);
  });

  test('written again, keep what still occurs, though it would not fail', async () => {
    const words = ['diff', base(), dropout(), '--write-accepted', at('accepted.json')] as const;
    const written = async (...more: readonly string[]) => {
      await unetc(...words, ...more);
      return entries(at('accepted.json'), 'dropout.json');
    };
    const first = await written('--fail-on', 'info', '--reason', 'inert');
    expect(Object.keys(first).length).toBeGreaterThan(0);
    expect(await written('--fail-on', 'breaking')).toEqual(first);
  });

  test.each([
    '{',
    '{"version":2,"accepted":{}}',
    '{"version":1,"accepted":{"x":{"reason":"y"}}}',
    '{"format":"unetc-accepted","version":2,"graphs":{"a.json":{"x":{"reason":"y"}}}}',
    '{"format":"unetc-accepted","version":2,"graphs":{"a.json":{"0123456789ab":{}}}}',
    '{"format":"unetc-accepted","version":3,"graphs":{}}',
  ])('a file of %s is refused', async (text) => {
    writeFileSync(at('accepted.json'), text);
    const { exit, stderr } = await unetc('diff', base(), heads(), '--accept', at('accepted.json'));
    expect(exit).toBe(5);
    expect(stderr).toContain('accepted.json');
  });
});

describe('rename maps', () => {
  const inputs = () => {
    const x = Float32Array.from({ length: 3 * 16 * 16 }, (_, i) => Math.sin(i));
    const tensors = {
      x: { shape: [1, 3, 16, 16], data: x },
      timesteps: { shape: [1], data: Float32Array.of(10) },
    };
    writeFileSync(at('in.safetensors'), writeTensors(new Map(Object.entries(tensors))));
    return at('in.safetensors');
  };
  const run = async (graph: string, weights: string, output: string, ...more: readonly string[]) => {
    const words = ['--weights', weights, '--inputs', inputs(), '--output', at(output), '--reference'];
    const { exit, stderr } = await unetc('run', graph, ...words, ...more);
    expect(stderr).not.toContain('error');
    expect(exit).toBe(0);
    return readTensors(readFileSync(at(output)), { kind: 'input', label: output }).get('output')!.data;
  };

  test.each(['', 'module.'])(
    'an old checkpoint (%s) gives the same output where what is new is inert',
    async (prefix) => {
      const to = save('attention.json', patched({ unet: { attention_resolutions: [1, 2] } }));
      const old = checkpoint(base(), 'old.safetensors', prefix);
      const map = at('map.json');
      expect((await unetc('diff', base(), to, '--write-rename-map', map)).exit).toBe(0);
      const [before, after] = [
        await run(base(), old, 'before.safetensors'),
        await run(to, old, 'after.safetensors', '--rename-map', map),
      ];
      expect(after).toEqual(before);
    },
    60_000,
  );

  test('what moved is read under its old name, and what is new is missing', async () => {
    const to = save('blocks.json', patched({ unet: { num_res_blocks: 2 } }));
    const map = at('map.json');
    await unetc('diff', base(), to, '--rename-map', map);
    const old = checkpoint(base(), 'old.safetensors');
    const words = ['--weights', old, '--inputs', inputs(), '--output', at('out.safetensors'), '--reference'];
    const { exit, stderr } = await unetc('run', to, ...words, '--rename-map', map);
    expect(exit).toBe(4);
    expect(stderr).toMatch(/which has \d+ tensors: 56 missing; /);
    expect(stderr).toContain('missing: input_blocks.2.0.in_layers.0.weight');
  });

  test('a file that is none is refused', async () => {
    const old = checkpoint(base(), 'old.safetensors');
    const words = ['--weights', old, '--inputs', inputs(), '--output', at('out.safetensors'), '--reference'];
    const { exit, stderr } = await unetc('run', base(), ...words, '--rename-map', base());
    expect(exit).toBe(4);
    expect(stderr).toContain('write it with unetc diff A B --write-rename-map FILE');
  });
});

describe('sides', () => {
  test('a bundle and its graph are the same; another batch and target are told', async () => {
    const graph = base();
    await unetc('compile', graph, '-o', at('bundle'));
    expect(await diff(graph, at('bundle'))).toMatchObject({ exit: 0, findings: [], b: { kind: 'bundle' } });
    await unetc(
      'compile',
      graph,
      '-o',
      at('other'),
      '--batch',
      '2',
      '--target',
      'software',
      '--strict',
      '--taps',
    );
    const { findings, exit } = await diff(at('bundle'), at('other'));
    expect(exit).toBe(1);
    const rules = findings.map(({ rule, severity }) => `${severity} ${rule}`);
    expect(rules).toEqual(
      expect.arrayContaining([
        'breaking interface/batch',
        'dangerous interface/taps',
        'dangerous numerics/strict',
        'dangerous schedule/target',
        'breaking schedule/features',
      ]),
    );
    const [manifest] = [readFileSync(path.join(at('bundle'), 'manifest.json'), 'utf8')];
    writeFileSync(path.join(at('bundle'), 'manifest.json'), manifest.replace('"batch": 1', '"batch": 3'));
    expect((await unetc('diff', graph, at('bundle'))).exit).toBe(6);
  });

  test('a bundle in float16 is the same as its graph and as a checkpoint of it', async () => {
    await unetc('compile', base(), '-o', at('half'), '--precision', 'f16');
    const weights = checkpoint(base(), 'own.safetensors');
    for (const [side, ...words] of [[base()], [base(), '--no-schedule'], [weights]] as const) {
      expect(await diff(at('half'), side, ...words)).toMatchObject({ exit: 0, findings: [] });
      expect(await diff(side, at('half'), ...words)).toMatchObject({ exit: 0, findings: [] });
    }
  });

  test('git:REF:PATH, and the external diff of git', async () => {
    const git = (...words: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...words], {
        cwd: at(),
        encoding: 'utf8',
      });
    const here = process.cwd();
    const graph = base();
    git('init', '-q');
    writeFileSync(at('tensors.json'), readFileSync('test/golden/tiny-film/state-dict.json'));
    git('add', 'a.json', 'tensors.json');
    git('commit', '-qm', 'a');
    writeFileSync(graph, JSON.stringify(patched({ unet: { num_heads: 4 } }), null, 2));
    process.chdir(at());
    try {
      const { findings, a } = await diff('git:HEAD:a.json', 'a.json');
      expect(a).toMatchObject({ label: 'git:HEAD:a.json', kind: 'graph' });
      expect(findings.map(({ rule }) => rule)).toEqual(Array(4).fill('weights/reinterpreted-heads'));
      const hash = '0'.repeat(40);
      const tensors = await diff('git:HEAD:tensors.json', 'tensors.json');
      expect(tensors).toMatchObject({ exit: 0, findings: [], a: { kind: 'checkpoint' } });
      writeFileSync('old.json', git('show', 'HEAD:a.json'));
      const driver = (...words: readonly string[]) => unetc('diff', '--git-driver', ...words);
      const changed = await driver('a.json', 'old.json', hash, '100644', 'a.json', hash, '100644');
      expect(changed.exit).toBe(0);
      expect(changed.stdout).toMatch(/^a\/a\.json -> b\/a\.json\n[\s\S]*heads 2 became 4/);
      const fresh = await driver('a.json', '/dev/null', '.', '.', 'a.json', hash, '100644');
      expect([fresh.exit, fresh.stdout]).toEqual([0, 'a.json: a new graph\n']);
      writeFileSync('a.json', '{');
      const broken = await driver('a.json', 'old.json', hash, '100644', 'a.json', hash, '100644');
      expect([broken.exit, broken.stdout]).toEqual([
        0,
        expect.stringContaining('b/a.json cannot be read:\nerror[G001]'),
      ]);
    } finally {
      process.chdir(here);
    }
  });

  test('a checkpoint is the graph that it belongs to, but for what its shapes do not tell', async () => {
    const own = await diff('graphs/mnist.json', 'graphs/mnist.safetensors');
    expect(own).toMatchObject({ exit: 0, findings: [], b: { kind: 'checkpoint' } });
    expect(own.notes).toEqual([
      expect.stringContaining(
        'shapes do not tell name, image size, order, shift, dropout, norm, activation, divisor, padding, heads, center input, diffusion;',
      ),
    ]);
    const weights = checkpoint(heads(), 'heads.safetensors');
    expect(await diff(base(), weights)).toMatchObject({ exit: 0, findings: [] });
    const wider = checkpoint(save('wide.json', patched({ unet: { num_res_blocks: 2 } })), 'wide.safetensors');
    const { findings } = await diff(base(), wider);
    const rules = new Set(findings.map(({ rule }) => rule));
    expect(rules).toEqual(
      new Set(['weights/added', 'weights/renamed', 'interface/taps', 'cost/params', 'cost/weight-bytes']),
    );
  });

  test('a checkpoint of another family is compared by the names of its tensors', async () => {
    const tensor = (shape: readonly number[]) => ({
      shape,
      data: new Float32Array(shape.reduce((n, d) => n * d, 1)),
    });
    const write = (name: string, tensors: Record<string, ReturnType<typeof tensor>>) => {
      writeFileSync(at(name), writeTensors(new Map(Object.entries(tensors))));
      return at(name);
    };
    const a = write('x.safetensors', {
      'net.0.weight': tensor([2, 3]),
      'net.0.bias': tensor([2]),
      'old.w': tensor([1]),
    });
    const b = write('y.safetensors', {
      'net.0.weight': tensor([2, 4]),
      'net.0.bias': tensor([2]),
      'new.w': tensor([1]),
    });
    const { findings, exit, notes } = await diff(a, b);
    expect(exit).toBe(1);
    expect(findings.map(({ rule, place }) => `${rule} ${place}`)).toEqual([
      'weights/removed old',
      'weights/added new',
      'weights/reshaped net',
    ]);
    expect(notes.join()).toContain('its tensors are compared by name alone');
    expect((await diff(a, a)).findings).toEqual([]);
    expect((await unetc('diff', a, b, '--write-rename-map', at('map.json'))).exit).toBe(2);
    expect((await unetc('diff', a, b, '--format', 'html')).exit).toBe(2);
  });

  test('a graph in TypeScript, told at its line', async () => {
    const { version: _, ...fields } = patched({ unet: { num_heads: 4 } }) as Record<string, unknown>;
    const text = `import { defineUNet } from 'unetc';\n\nexport default defineUNet(${JSON.stringify({ version: 1, ...fields }, null, 2)});\n`;
    writeFileSync(at('b.ts'), text);
    const { findings } = await diff(base(), at('b.ts'));
    expect(findings).toHaveLength(4);
    const line = text.split('\n')[findings[0]!.position!.line - 1];
    expect(line).toContain('num_heads');
  });

  test('--kernels shows the sources that differ', async () => {
    const to = save('transposed.json', patched({ unet: { upsample: 'conv_transpose' } }));
    const { kernels } = await diff(base(), to, '--kernels');
    expect(kernels!.length).toBeGreaterThan(0);
    expect(kernels![0]!.diff).toMatch(/^--- .*\n\+\+\+ .*\n@@ /);
  });
});

test('two graphs of 500 blocks, schedules left out with a note', async () => {
  const large = (num_heads: number) =>
    save(
      `large-${num_heads}.json`,
      patched({ unet: { num_res_blocks: 64, channel_mult: [1, 1, 1, 2], num_heads } }),
    );
  const start = performance.now();
  const { findings, notes } = await diff(large(2), large(4));
  // one second is what the command may take; here other tests run beside it
  expect(performance.now() - start).toBeLessThan(5000);
  expect(findings.every(({ rule }) => rule === 'weights/reinterpreted-heads')).toBe(true);
  expect(notes).toEqual([
    expect.stringMatching(/^schedule and activation bytes were not compared: .* --schedule compares them$/),
  ]);
});

test('a graph that its target cannot run is compared without its schedule', async () => {
  const to = save('huge.json', patched({ image_size: 16384 }));
  const { findings, notes } = await diff(base(), to);
  expect(findings.map(({ rule }) => rule)).toContain('interface/image-size');
  expect(notes).toEqual([
    expect.stringMatching(/^schedule and activation bytes were not compared: .*huge.json: .* a grid of /),
  ]);
});
