// What cases are made from: graphs, weights and inputs that are right, to be broken in one place each.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../engine/package.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';

const root = packageRoot();

/** Published files by their paths. */
export const MNIST = path.join(root, 'graphs', 'mnist.json');
export const MNIST_SR = path.join(root, 'graphs', 'mnist-sr.json');
export const MNIST_WEIGHTS = path.join(root, 'graphs', 'mnist.safetensors');

type Members = { readonly [key: string]: unknown };

/** The small graph with members of the file, and of its keywords, changed. */
export function small(changes: Members = {}, unet: Members = {}): string {
  const graph = JSON.parse(SMALL_GRAPH);
  return JSON.stringify({ ...graph, ...changes, unet: { ...graph.unet, ...unet } }, null, 2);
}

/** A published graph as an object. */
export function published(name: string): { [key: string]: unknown } {
  return JSON.parse(readFileSync(path.join(root, 'graphs', `${name}.json`), 'utf8'));
}

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Zeros of a shape, or one value everywhere. */
export function floatsOf(shape: readonly number[], value = 0): Values {
  return { shape, data: new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(value) };
}

export function integersOf(...values: readonly number[]): Values {
  return { shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}

export function tensors(named: Readonly<Record<string, Values>>): Uint8Array {
  return writeTensors(new Map(Object.entries(named)));
}

/** Inputs of a pass of the small graph. */
export const SMALL_INPUTS = { x: floatsOf([1, 1, 8, 8]), timesteps: floatsOf([1], 5) };

/** A training batch of the small graph. */
export const SMALL_BATCH = {
  x_start: floatsOf([1, 1, 8, 8]),
  noise: floatsOf([1, 1, 8, 8]),
  timesteps: floatsOf([1], 5),
};

/** `piece` over and over, up to some number of bytes. */
export function many(piece: string, bytes: number): string {
  return piece.repeat(Math.ceil(bytes / piece.length));
}
