import { expect, test } from 'vitest';
import { InternalError } from '../../../compiler/diagnostics.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { verifyGraph } from '../../../compiler/graph/verify.ts';
import { goldenGraph } from '../../golden-cases.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] extends object | null ? Writable<T[K]> : T[K] };

/** The graph of tiny-film with one thing broken. */
function broken(edit: (graph: Writable<Graph>) => void): Graph {
  const copy = structuredClone(loadGraph(goldenGraph('tiny-film'), 'a.json').graph) as Writable<Graph>;
  edit(copy);
  return copy as Graph;
}

test('verifyGraph passes a sound graph', () => {
  expect(() => verifyGraph(broken(() => undefined))).not.toThrow();
});

test.each<readonly [string, (g: Writable<Graph>) => void, string]>([
  [
    'channels',
    (g) => (g.blocks[1]!.layers[0]!.layer = { ...g.blocks[0]!.layers[0]!.layer }),
    'input_blocks.1.0 is given 32 channels',
  ],
  ['sizes', (g) => (g.blocks[2]!.layers[0]!.out_size = [7, 8]), 'input_blocks.2.0 does not give 7x8'],
  [
    'paths',
    (g) => (g.blocks[3]!.layers[1]!.path = 'input_blocks.3.2'),
    'input_blocks.3.2 should be input_blocks.3.1',
  ],
  ['order', (g) => g.blocks.reverse(), 'blocks in the order'],
  ['pushes and pops', (g) => g.blocks.pop(), '1 pushed outputs are never popped'],
  ['the head', (g) => (g.head.channels = 64), 'the head takes 64 channels, 32 arrive'],
  ['dimensions', (g) => (g.dims = 1), '1 dimensions, image of 16x16'],
])('verifyGraph names what is wrong with %s', (_, edit, message) => {
  const check = () => verifyGraph(broken(edit));
  expect(check).toThrow(InternalError);
  expect(check).toThrow(`internal: ${message}`);
});
