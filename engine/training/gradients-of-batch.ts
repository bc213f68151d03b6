// The losses and gradients of a training batch in memory.

import { fault } from '../../runtime/bytes.ts';
import { findInputFaults } from '../../runtime/check-inputs.ts';
import type { PortValue } from '../../runtime/model.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { checkGradients } from '../compile/model-settings.ts';
import type { Host } from '../host.ts';
import { fitToInputs } from '../model/fit-inputs.ts';
import type { ModelSource } from '../model/model-source.ts';
import { type OpenOptions, openSource } from '../model/open-model.ts';
import { type WeightsInput, weightsOf } from '../model/weights-input.ts';
import { checkedInputs, normOf, trainingFace, unmovedGradients } from './gradients.ts';

/** What messages call the batch. */
const ORIGIN = { kind: 'input', label: 'batch' } as const;

interface BatchOptions extends OpenOptions {
  readonly weights: WeightsInput;
  readonly renameMap?: string | undefined;
}

/** What was computed. */
export interface BatchGradients {
  /** The graph's name, and what it ran on. */
  readonly name: string;
  readonly adapter: string;
  /** Each term of the loss, a value a sample, not weighted: `loss`, and where the loss has them `mse` and `vb`. */
  readonly losses: Readonly<Record<string, Float32Array>>;
  /** Of the mean of `loss` (each sample's times its weight) by every parameter, under its name and in its shape. */
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** The root of the sum of squares over all gradients. */
  readonly grad_norm: number;
}

/** Everything is checked in the order graph, batch, weights, adapter. */
export async function computeBatch(
  said: ModelSource,
  batch: TrainingBatch,
  options: BatchOptions,
  host: Host,
): Promise<BatchGradients> {
  checkGradients(said.graph, options);
  const shapes = { origin: ORIGIN, tensors: shapesOf(batch) };
  const { source, batch: size } = fitToInputs(said, options, shapes, (graph) => trainingFace(graph, 1));
  const { weights, dropout: _, ...tensors } = batch;
  const faults = [
    ...findInputFaults({ ...tensors }, trainingFace(source.graph, size).inputs),
    ...weightFaults(weights, size),
  ];
  if (faults.length > 0) throw fault(ORIGIN, faults.join(`\n${ORIGIN.label}: `));
  const inputs = checkedInputs(batch, source.graph, ORIGIN);
  const values = await weightsOf(options.weights, options.renameMap, source);
  const opened = await openSource(source, values, { ...options, batch: size }, host);
  try {
    const given = await opened.model.run(inputs);
    const results = [...given, ...unmovedGradients(source.graph, given)];
    const named = (prefix: string) =>
      results.flatMap(([name, tensor]) => {
        return name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [];
      });
    const gradients = new Map(named('grad.'));
    return {
      name: source.graph.name,
      adapter: opened.adapter,
      losses: Object.fromEntries(named('loss.').map(([name, { data }]) => [name, data])),
      gradients,
      grad_norm: normOf([...gradients.values()]),
    };
  } finally {
    await opened.close();
  }
}

/** Shapes of what is given as tensors: whatever else is given, the model's check tells. */
function shapesOf(batch: TrainingBatch): ReadonlyMap<string, { readonly shape: readonly number[] }> {
  const shapes = Object.entries(batch).flatMap(([name, value]: [string, PortValue | undefined | null]) =>
    value !== undefined && value !== null && 'shape' in value && Array.isArray(value.shape)
      ? [[name, { shape: value.shape as readonly number[] }] as const]
      : [],
  );
  return new Map(shapes);
}

function weightFaults(weights: ArrayLike<number> | undefined, size: number): readonly string[] {
  if (weights === undefined) return [];
  if (weights?.length !== size) {
    return [`weights has ${weights?.length ?? 'no'} values, expected ${size}, one a sample`];
  }
  const bad = Array.from(weights).findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? [] : [`weights[${bad}] is ${weights[bad]}, expected a finite number`];
}
