import { expect, test } from 'vitest';
import { parseClassifier } from '../../../cli/words/classifier.ts';

const GRAPH = { classifier: 'c.json', classifierWeights: 'c.pt' };

test('a classifier is read with its weights, scale and precision', () => {
  expect(parseClassifier({})).toEqual({ classifier: undefined, classifier_scale: 1 });
  expect(
    parseClassifier({ ...GRAPH, classifierScale: '-2.5', classifierPrecision: 'f16', allowUnexpected: true }),
  ).toEqual({
    classifier: { model: 'c.json', weights: 'c.pt', allowUnexpected: true, precision: 'f16' },
    classifier_scale: -2.5,
  });
  expect(parseClassifier(GRAPH)).toMatchObject({ classifier_scale: 1 });
  // a checkpoint of unetc train brings its weights
  expect(parseClassifier({ classifier: 'c.safetensors' })).toMatchObject({
    classifier: { model: 'c.safetensors', weights: 'c.safetensors' },
  });
});

test.each([
  [{ classifier: 'c.json' }, '--classifier needs its weights: give --classifier-weights'],
  [{ classifierWeights: 'c.pt' }, '--classifier-weights: there is no classifier'],
  [{ classifierScale: '2' }, '--classifier-scale: there is no classifier'],
  [{ classifierPrecision: 'f16' }, '--classifier-precision: there is no classifier'],
  [{ ...GRAPH, classifierScale: 'much' }, "--classifier-scale: found 'much', expected a number"],
  [{ ...GRAPH, classifierScale: '1e39' }, "--classifier-scale: found '1e39', expected a number"],
  [{ ...GRAPH, classifierPrecision: 'f8' }, "--classifier-precision: found 'f8', expected f32 or f16"],
])('%o is refused', (words, message) => {
  expect(() => parseClassifier(words)).toThrow(message);
});
