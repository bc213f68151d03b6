// The loss of a model in training: its input becomes a noisy image, and its outputs the terms of the loss of each sample. Of a
// diffusion model these are `loss.loss` and where it has them `loss.mse` and `loss.vb`; of a classifier the cross-entropy
// `loss.loss`, and `loss.acc1` and `loss.acc5`: whether the label is the first, or among the first five. Source: improved-diffusion, gaussian_diffusion.py
// (training_losses); Nichol and Dhariwal 2021, arXiv:2102.09672, section 3.1.

import { LOSS_COEFFICIENTS } from '../../runtime/bundle.ts';
import { invariant } from '../diagnostics.ts';
import type { Diffusion, Graph } from '../graph/graph.ts';
import { createOpGraphBuilder, type OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpGraphOutput } from '../opgraph/opgraph.ts';
import { copy } from './rewrite.ts';

const PATH = 'loss';

/**
 * The graph of a model with its loss. It takes `x_start` and `noise` in the place of `x`, and `coefficients` [B, 8], a row of
 * the process's tables for the timestep of each sample (`LOSS_COEFFICIENTS`); a classifier labels `y` [B], too.
 */
export function training_loss(
  graph: OpGraph,
  { diffusion, pool }: Pick<Graph, 'diffusion' | 'pool'>,
): OpGraph {
  const b = createOpGraphBuilder();
  const column = (name: (typeof LOSS_COEFFICIENTS)[number]) => LOSS_COEFFICIENTS.indexOf(name);
  const mapped: number[] = [];
  let images: Images | null = null;
  for (const node of graph.nodes) {
    if (node.op === 'input' && node.attrs.name === 'x') {
      const image = (name: string) => b.add('input', [], { name, type: node.type }, name);
      const [x_start, noise] = [image('x_start'), image('noise')];
      const type = { dtype: 'f32', shape: [node.type.shape[0]!, LOSS_COEFFICIENTS.length] } as const;
      const c = b.add('input', [], { name: 'coefficients', type }, 'coefficients');
      const factors = { first: column('signal'), second: column('noise') };
      images = { x_start, noise, c, x_t: b.add('mix', [x_start, noise, c], factors, 'x') };
      mapped.push(images.x_t);
    } else {
      mapped.push(
        copy(
          node,
          node.inputs.map((i) => mapped[i]!),
          b,
        ),
      );
    }
  }
  const output = graph.outputs.find(({ name }) => name === 'output');
  invariant(images !== null && output !== undefined, 'a model in training has an input x and an output');
  const value = mapped[output.value]!;
  return b.finish(pool === null ? termsOf(b, diffusion, images, value) : classifierTerms(b, value));
}

/** Of logits [B, classes]. Source: guided-diffusion, scripts/classifier_train.py (forward_backward_log). */
function classifierTerms(b: OpGraphBuilder, logits: number): readonly OpGraphOutput[] {
  const [batch] = b.typeOf(logits).shape;
  const y = b.add('input', [], { name: 'y', type: { dtype: 'u32', shape: [batch!] } }, 'y');
  const accuracy = (k: number) => ({
    name: `loss.acc${k}`,
    value: b.add('top_k', [logits, y], { k }, PATH),
  });
  const loss = b.add('cross_entropy', [logits, y], {}, PATH);
  return [{ name: 'loss.loss', value: loss }, accuracy(1), accuracy(5)];
}

/** What a sample is made of. */
interface Images {
  readonly x_start: number;
  readonly noise: number;
  readonly x_t: number;
  readonly c: number;
}

function termsOf(
  b: OpGraphBuilder,
  { loss, variance, predict, steps }: Diffusion,
  images: Images,
  output: number,
): readonly OpGraphOutput[] {
  const learned = variance === 'learned' || variance === 'learned_range';
  const target = targetOf(b, predict, images);
  const bound = (by: 'both' | 'variance', factor: number) => {
    const attrs = { variance: learned ? variance : 'fixed', by } as const;
    const term = b.add('variational_bound', [output, target, images.x_start, images.c], attrs, PATH);
    return factor === 1 ? term : b.add('scale', [term], { factor }, PATH);
  };
  switch (loss) {
    case 'kl':
    case 'rescaled_kl':
      return [{ name: 'loss.loss', value: bound('both', loss === 'kl' ? 1 : steps) }];
    case 'mse':
    case 'rescaled_mse': {
      const mse = { name: 'loss.mse', value: b.add('mse', [output, target], {}, PATH) };
      if (!learned) return [{ name: 'loss.loss', value: mse.value }, mse];
      const vb = { name: 'loss.vb', value: bound('variance', loss === 'mse' ? 1 : steps / 1000) };
      return [{ name: 'loss.loss', value: b.add('add', [mse.value, vb.value], {}, PATH) }, mse, vb];
    }
  }
}

/** What the model's output is to be. */
function targetOf(
  b: OpGraphBuilder,
  predict: Diffusion['predict'],
  { x_start, noise, x_t, c }: Images,
): number {
  const sum = (other: number) => {
    const factors = {
      first: LOSS_COEFFICIENTS.indexOf('target_x_start'),
      second: LOSS_COEFFICIENTS.indexOf('target_other'),
    };
    return b.add('mix', [x_start, other, c], factors, PATH);
  };
  switch (predict) {
    case 'epsilon':
      return noise;
    case 'x_start':
      return x_start;
    case 'previous_x':
      return sum(x_t);
    case 'v':
      return sum(noise);
  }
}
