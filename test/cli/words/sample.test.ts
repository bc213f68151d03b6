import { describe, expect, test } from 'vitest';
import { parseJob, type SampleWords } from '../../../cli/words/sample.ts';
import { UsageError } from '../../../engine/errors.ts';
import { sampleWords } from '../../sampling-run.ts';

const words = (more: Partial<SampleWords>): SampleWords => sampleWords('out', more);

describe('words', () => {
  test('sampler and eta have the defaults that the other words ask for', () => {
    const sampler = (more: Partial<SampleWords>) => parseJob('g', words({ seeds: '0', ...more })).sampler;
    expect(sampler({ steps: '50' })).toEqual({ kind: 'ddpm' });
    expect(sampler({ steps: 'ddim50' })).toEqual({ kind: 'ddim', eta: 0 });
    expect(sampler({ eta: '0.5' })).toEqual({ kind: 'ddim', eta: 0.5 });
    expect(sampler({ sampler: 'ddim' })).toEqual({ kind: 'ddim', eta: 0 });
    expect(sampler({ sampler: 'ddpm', steps: 'ddim50' })).toEqual({ kind: 'ddpm' });
  });

  test('steps may be spaced out, and are all of them where not given', () => {
    expect(parseJob('g', words({ seeds: '0', steps: '10, 10, 20' })).steps).toBe('10,10,20');
    expect(parseJob('g', { weights: 'hash:1', output: 'out', seeds: '0' }).steps).toBe('');
  });

  test.each<[Partial<SampleWords>, string]>([
    [{}, '--seeds: say which samples to make, such as --seeds 0-15'],
    [{ seeds: '0', noise: 'n' }, '--seeds and --noise both say what the samples start from'],
    [{ seeds: '5-1' }, '--seeds'],
    [{ seeds: '0', class: 'x' }, "--class: found 'x'"],
    [{ seeds: '0', sampler: 'plms' }, "--sampler: found 'plms', expected ddpm or ddim or dpmpp"],
    [{ seeds: '0', sampler: 'ddpm', eta: '0' }, '--eta scales the noise of ddim'],
    [{ seeds: '0', eta: '-1' }, '--eta'],
    [{ seeds: '0', steps: 'fast' }, "--steps: found 'fast'; write a count (50)"],
    [{ seeds: '0', batch: '0' }, '--batch'],
    [{ seeds: '0', size: '4by4' }, '--size'],
    [{ seeds: '0', format: 'jpg' }, "--format: found 'jpg', expected png or npz or npy or safetensors"],
  ])('%o', (more, message) => {
    expect(() => parseJob('g', words(more))).toThrow(UsageError);
    expect(() => parseJob('g', words(more))).toThrow(message);
  });
});
