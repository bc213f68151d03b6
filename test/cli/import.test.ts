// `unetc infer` and `unetc check`: checkpoint files in, words and exit codes out.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const inFolder = temporaryFolder();
const root = join(import.meta.dirname, '..', '..');
const mnist = join(root, 'graphs/mnist.json');
const weights = join(root, 'graphs/mnist.safetensors');
const stateDict = (name: string) => join(root, `test/golden/${name}/state-dict.json`);

/** A state dict as JSON, changed. */
function changed(name: string, edit: (shapes: Record<string, number[]>) => void): string {
  const shapes = JSON.parse(readFileSync(stateDict(name), 'utf8')) as Record<string, number[]>;
  edit(shapes);
  const file = inFolder('changed.json');
  writeFileSync(file, JSON.stringify(shapes));
  return file;
}

describe('unetc infer', () => {
  it('prints a graph that every command takes', async () => {
    const { exit, stdout, stderr } = await unetc('infer', weights);
    expect(exit).toBe(0);
    expect(loadGraph(stdout, 'inferred').graph).toEqual(
      loadGraph(readFileSync(mnist, 'utf8'), 'mnist').graph,
    );
    expect(stderr).toContain('  /unet/num_heads: 2 in mnist, which has the same tensors\n');
  });

  it('reads what torch.save wrote', async () => {
    const result = await unetcJson<{ graph: { name: string }; undetermined: object[] }>(
      'infer',
      join(root, 'test/golden/mnist/model.pt'),
    );
    expect(result).toMatchObject({ exit: 0, graph: { name: 'mnist', unet: { num_classes: 10 } } });
    expect(result.undetermined).toContainEqual({
      key: '/image_size',
      hint: '28 in mnist, which has the same tensors',
    });
  });

  it('writes the graph to a file, called as the checkpoint is', async () => {
    const [checkpoint, output] = [inFolder('my model.safetensors'), inFolder('graph.json')];
    const shapes = JSON.parse(readFileSync(stateDict('tiny-1d'), 'utf8')) as Record<string, number[]>;
    const tensors = Object.entries(shapes).map(([name, shape]) => {
      const data = () => new Float32Array(shape.reduce((n, d) => n * d, 1));
      return { name: `model.${name}`, shape, dtype: 'F32' as const, data };
    });
    writeFileSync(checkpoint, Buffer.concat([...safetensorsChunks(tensors, {})]));
    const { exit, stdout, stderr } = await unetc('infer', checkpoint, '-o', output);
    expect([exit, stdout]).toEqual([0, `${output}: the graph of ${checkpoint}, 128 tensors\n`]);
    expect(stderr).toContain(`note: ${checkpoint}: took the prefix "model." off every tensor's name\n`);
    expect(loadGraph(readFileSync(output, 'utf8'), output).graph).toMatchObject({
      name: 'my model',
      dims: 1,
    });
  });

  it.each([
    ['a formula', 'hash:1', 2, 'name a checkpoint file'],
    ['no file', 'nowhere.pt', 4, 'there is no such file'],
    ['a graph', mnist, 4, '"$schema" has no shape'],
    ['tensors of no model', join(root, 'test/golden/tiny-1d/expected.safetensors'), 3, 'error[G020]'],
  ])('refuses %s', async (_, file, exit, message) => {
    const result = await unetc('infer', file);
    expect(result).toMatchObject({ exit, stdout: '' });
    expect(result.stderr).toContain(message);
  });

  it('refuses a key that stands twice', async () => {
    const file = inFolder('twice.json');
    writeFileSync(file, '{"a": [1], "a": [2]}');
    expect(await unetc('infer', file)).toMatchObject({ exit: 4 });
  });
});

describe('unetc check', () => {
  it('says that a checkpoint fits, and what that leaves open', async () => {
    const { exit, stdout } = await unetc('check', mnist, weights);
    expect(exit).toBe(0);
    expect(stdout).toBe(
      `${weights}: fits ${mnist}, all 167 tensors; shapes cannot confirm image_size, num_heads, ` +
        'num_heads_upsample, dropout, diffusion\n',
    );
  });

  it('names the options that differ, in the words of the graph', async () => {
    const { exit, stdout } = await unetc('check', mnist, stateDict('tiny-film'));
    expect(exit).toBe(1);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        '  attention_resolutions: [4] in the graph, [2] in the checkpoint',
        '  channel_mult: [1, 2, 2] in the graph, [1, 2] in the checkpoint',
        '  num_classes: 10 in the graph, null in the checkpoint',
        '  input_blocks.0.0: conv 1 -> 32 kernel 3 in the graph, conv 3 -> 32 kernel 3 in the checkpoint',
        '  input_blocks.3.1: nothing in the graph, attention 64 in the checkpoint',
      ]),
    );
  });

  it('says of a checkpoint of no graph which tensors are wrong', async () => {
    const graph = inFolder('film.json');
    await unetc('infer', stateDict('tiny-film'), '-o', graph);
    const file = changed('tiny-film', (shapes) => {
      delete shapes['middle_block.1.norm.bias'];
      shapes['out.2.bias'] = [7];
      shapes['ema_step\u001b[31m'] = [];
    });
    const report = await unetc('check', graph, file);
    expect(report.exit).toBe(1);
    expect(report.stdout).toBe(
      [
        `${file}: 1 missing, 1 unexpected, 1 of another shape`,
        'layers that differ:',
        '  middle_block.1: attention 64: norm.bias [64] is missing',
        '  out: head 32 -> 6: 2.bias is [7] instead of [6]',
        '  "ema_step\\u001b[31m": nothing in the graph, "ema_step\\u001b[31m" [] in the checkpoint',
        '',
      ].join('\n'),
    );
  });

  it('gives all of it as JSON', async () => {
    const report = await unetcJson('check', mnist, join(root, 'graphs/mnist-sr.safetensors'));
    expect(report).toMatchObject({
      exit: 1,
      fits: false,
      counts: { missing: 0, unexpected: 0, shape: 1 },
      options: [{ option: 'super_resolution', graph: false, checkpoint: true }],
      layers: [
        { path: 'input_blocks.0.0', misfits: [{ name: 'input_blocks.0.0.weight', found: [32, 2, 3, 3] }] },
      ],
      error: { kind: 'check', exit: 1 },
    });
  });

  it('tells a bad graph from a bad checkpoint', async () => {
    expect(await unetc('check', inFolder('none.json'), weights)).toMatchObject({ exit: 3 });
    expect(await unetc('check', mnist, inFolder('none.pt'))).toMatchObject({ exit: 4 });
  });
});
