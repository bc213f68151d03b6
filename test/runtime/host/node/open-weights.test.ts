import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addressOf, filesOfWeights, openWeights } from '../../../../runtime/host/node/open-weights.ts';
import { writeTensors } from '../../../../runtime/weights/safetensors-write.ts';
import { faultOf } from '../../../fixtures/faults.ts';
import { dict, floats, tensor, torchArchive } from '../../../fixtures/torch-archive.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';

const at = temporaryFolder();

describe('a file and the key behind it', () => {
  test('a file whose own name has a # is that file', () => {
    writeFileSync(at('m.pt'), '');
    writeFileSync(at('m.pt#ema'), '');
    expect(addressOf(at('m.pt#ema'))).toEqual({ label: at('m.pt#ema'), file: at('m.pt#ema'), key: null });
    expect(addressOf(at('m.pt#ema#x'))).toMatchObject({ file: at('m.pt#ema'), key: 'x' });
    expect(addressOf(at('m.pt#model'))).toMatchObject({ file: at('m.pt'), key: 'model' });
  });

  test('a folder with a # in its name, a key with one, and nothing before it', () => {
    mkdirSync(at('run#3'));
    writeFileSync(at('run#3', 'm.pt'), '');
    expect(addressOf(at('run#3', 'm.pt#a#b'))).toMatchObject({ file: at('run#3', 'm.pt'), key: 'a#b' });
    expect(addressOf('#x')).toEqual({ label: '#x', file: '#x', key: null });
  });

  test('a file that is missing is told without its key', () => {
    expect(faultOf('weights', () => openWeights(at('none.pt#ema')))).toBe(
      `${at('none.pt')}: there is no such file or folder; check the path`,
    );
  });

  test('the files that weights are read from', () => {
    writeFileSync(at('m.pt'), 'x');
    expect(filesOfWeights(at('m.pt#ema'))).toEqual({ files: [at('m.pt')], key: 'ema' });
    writeFileSync(
      at('index.json'),
      '{"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors"}}',
    );
    const files = [at('index.json'), at('1.safetensors'), at('2.safetensors')];
    expect(filesOfWeights(at('index.json'))).toEqual({ files, key: null });
  });

  test('weights under a key of torch.save, and under a prefix of safetensors', () => {
    const w = (key: string) => dict({ w: tensor({ key, count: 1, shape: [1], stride: [1] }) });
    const bytes = torchArchive(dict({ model: w('0'), ema: w('1') }), { 0: floats(1), 1: floats(2) });
    writeFileSync(at('m.pt'), bytes);
    expect(openWeights(at('m.pt#ema')).read('w', [1])[0]).toBe(2);
    expect(faultOf('weights', () => openWeights(at('m.pt')))).toBe(
      `${at('m.pt')}: this holds several dicts of tensors; name one: ${at('m.pt')}#ema (1 tensors), ${at('m.pt')}#model (1 tensors)`,
    );
    const data = Float32Array.of(4);
    const tensors = new Map([
      ['a.w', { shape: [1], data }],
      ['a.v', { shape: [1], data }],
      ['ab', { shape: [1], data }],
    ]);
    writeFileSync(at('m.safetensors'), writeTensors(tensors));
    for (const key of ['a.', 'a']) {
      const weights = openWeights(at(`m.safetensors#${key}`));
      expect(weights.tensors?.map(({ name }) => name)).toEqual(['w', 'v']);
      expect(weights.read('w', [1])[0]).toBe(4);
      expect(weights.label).toBe(at(`m.safetensors#${key}`));
      expect(weights.stem).toBe(at('m.safetensors#a.'));
    }
    expect(faultOf('weights', () => openWeights(at('m.safetensors#x.')))).toContain(
      `no tensor's name begins with "x."; names begin with "a." (2), "ab" (1)`,
    );
    expect(faultOf('weights', () => openWeights(at('m.safetensors#')))).toContain('behind the #');
  });
});
