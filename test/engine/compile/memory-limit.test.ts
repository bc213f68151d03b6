// The limit on memory: kernels that need less, and refusals that say what takes how much.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { SOFTWARE } from '../../../compiler/target.ts';
import { checkMemory } from '../../../engine/compile/memory-limit.ts';
import { memoryOf } from '../../../runtime/bundle.ts';
import { goldenGraph } from '../../golden-cases.ts';
import { unetc } from '../../unetc.ts';

const { graph } = loadGraph(goldenGraph('cifar10'), 'cifar10');
const compile = (options: object) => compileGraph(graph, { target: SOFTWARE, ...options }).bundle.manifest;

describe('a compilation', () => {
  const fast = compile({});
  const strict = compile({ strict: true });

  it('is the same where it fits', () => {
    expect(compile({ memoryLimit: memoryOf(fast) })).toEqual(fast);
  });

  it('takes kernels that need less where it does not', () => {
    const limited = compile({ memoryLimit: memoryOf(fast) - 1 });
    expect(memoryOf(limited)).toBeLessThan(memoryOf(fast));
    expect(limited.strict).toBe(false);
  });

  it('takes the least where nothing fits', () => {
    // the plain sums take no more; where they are chosen for their speed, a tile may be wider than its channels
    expect(memoryOf(compile({ memoryLimit: 1 }))).toBeLessThanOrEqual(memoryOf(strict));
  });
});

describe('a refusal', () => {
  const manifest = {
    ...{ name: 'mine', batch: 2, image_size: [32, 16] },
    memory: { weights: 2e8, activations: 5e7, activations_unshared: 9e7 },
  };

  it('says what takes how much, and what to do', () => {
    expect(() => checkMemory(manifest, 1e8, 'graph')).toThrow(
      'memory 100.0 MB: mine for 2 images of 32x16 takes 250.0 MB: weights 200.0 MB, activations 50.0 MB; ' +
        'this is the least that its kernels need; use a smaller batch or size, or memory 250MB',
    );
    expect(() => checkMemory({ ...manifest, batch: 1 }, 1e8, 'bundle')).toThrow(
      /mine for 1 image of .*; compile its graph with memory,/,
    );
  });

  it('is none where it fits or nothing was said', () => {
    expect(() => checkMemory(manifest, 2.5e8, 'graph')).not.toThrow();
    expect(() => checkMemory(manifest, undefined, 'graph')).not.toThrow();
  });

  it('is exit 2 of the command', async () => {
    const words = ['compile', 'graphs/mnist.json', '--emit', 'memory', '--memory', '1MB', '--json'];
    const { exit, stdout } = await unetc(...words);
    expect(exit).toBe(2);
    expect(JSON.parse(stdout).error.message).toMatch(/^--memory 1\.00 MB: mnist for 1 image of 28x28 takes /);
  });
});
