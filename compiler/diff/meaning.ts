// What the whole model means beside its layers: which noise it was trained on, what it predicts, what enters it. A change
// here is the silent kind: what was trained before gives garbage, whether it loads as it is or is carried over by a rename
// map. Another shape elsewhere in the same change makes it no better.

import { entryChannels } from '../families/blocks.ts';
import { type Diffusion, usualLoss } from '../graph/graph.ts';
import { betaEnds } from '../graph/rules-diffusion.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { sameShape } from './parameters.ts';
import { pointerTo } from './pointers.ts';
import type { Severity } from './rules.ts';
import { type GraphPair, known, knownOption } from './side.ts';

/** Compares what both graphs say of training and sampling, and how the input is made up. */
export function diffMeaning(sides: GraphPair): readonly Finding[] {
  const others = sameParameters(sides)
    ? 'and every key and shape stayed'
    : 'which no shape shows, whatever else changed';
  return [
    ...inputDrafts(sides, others),
    ...centeredDrafts(sides, others),
    ...(known(sides, 'diffusion') ? diffusionDrafts(sides, others) : []),
  ].map(finding);
}

/** Whether a strict load of a checkpoint of A into B goes through. */
function sameParameters({ a, b }: GraphPair): boolean {
  const others = new Map(b.parameters.map((p) => [p.name, p]));
  return (
    a.parameters.length === b.parameters.length &&
    a.parameters.every((p) => {
      const other = others.get(p.name);
      return other !== undefined && sameShape(p, other);
    })
  );
}

/** Six channels of an image or three of an image beside three of low_res: the first convolution cannot tell. */
function inputDrafts(sides: GraphPair, others: string): readonly FindingDraft[] {
  const [a, b] = [sides.a.graph, sides.b.graph];
  if (!known(sides, 'in_channels')) return [];
  if (entryChannels(a) !== entryChannels(b) || a.in_channels === b.in_channels) return [];
  const text = (graph: typeof a) =>
    `${graph.in_channels} channels of x${graph.super_resolution ? ` beside ${graph.in_channels} of low_res` : ''}`;
  return [
    {
      rule: 'weights/reinterpreted-input',
      change: '~',
      place: 'in',
      pointer: pointerTo(sides, ['super_resolution', 'in_channels']),
      before: text(a),
      after: text(b),
      message: `the first convolution reads ${text(b)} where it read ${text(a)}, ${others}`,
    },
  ];
}

/** Images in [0, 1] or in [-1, 1]: no tensor tells. */
function centeredDrafts(sides: GraphPair, others: string): readonly FindingDraft[] {
  const [a, b] = [sides.a.graph, sides.b.graph];
  if (a.center_input === b.center_input || !knownOption(sides, 'center_input')) return [];
  const text = (graph: typeof a) => (graph.center_input ? 'images in [0, 1]' : 'images in [-1, 1]');
  return [
    {
      rule: 'weights/reinterpreted-input',
      change: '~',
      place: 'in',
      pointer: pointerTo(sides, ['center_input_sample', 'center_input']),
      before: text(a),
      after: text(b),
      message: `the model takes ${text(b)} where it took ${text(a)}, ${others}`,
    },
  ];
}

function diffusionDrafts(sides: GraphPair, others: string): readonly FindingDraft[] {
  const [a, b] = [sides.a.graph.diffusion, sides.b.graph.diffusion];
  const keys = Object.keys(DIFFUSION_FACTS) as readonly (keyof Diffusion)[];
  return keys.flatMap((key): readonly FindingDraft[] => {
    const fact = a[key] === b[key] ? null : DIFFUSION_FACTS[key](a, b);
    if (fact === null) return [];
    const { rule, message, severity } = fact;
    return [
      {
        rule,
        change: '~',
        place: `diffusion.${key}`,
        pointer: pointerTo(sides, [`diffusion.${key}`]),
        before: String(a[key]),
        after: String(b[key]),
        message: rule === 'numerics/sampling' ? message : `${message}, ${others}`,
        ...(severity && { severity }),
      },
    ];
  });
}

interface DiffusionFact {
  readonly rule:
    | 'weights/reinterpreted-prediction'
    | 'weights/reinterpreted-noise'
    | 'numerics/sampling'
    | 'numerics/training';
  readonly message: string;
  readonly severity?: Severity;
}

/** Null where the same is said in other words. */
type CompareDiffusion = (a: Diffusion, b: Diffusion) => DiffusionFact | null;

/** What a timestep is multiplied by before the model is fed it. */
const timestepScale = (d: Diffusion) => (d.rescale_timesteps ? 1000 / d.steps : 1);

const betas: CompareDiffusion = (a, b) => {
  const range = (d: Diffusion) =>
    d.noise_schedule === 'cosine' ? 'those of a cosine' : betaEnds(d).join(' to ');
  if (range(a) === range(b)) return null;
  return {
    rule: 'weights/reinterpreted-noise',
    message: `the betas are ${range(b)} where they were ${range(a)}`,
  };
};

/** What a change of each key means; a key of `diffusion` without a row does not compile. */
const DIFFUSION_FACTS: { readonly [K in keyof Diffusion]: CompareDiffusion } = {
  predict: (a, b) => ({
    rule: 'weights/reinterpreted-prediction',
    message: `the output is read as ${b.predict} where it was ${a.predict}`,
  }),
  variance: (a, b) => ({
    rule: [a, b].every((d) => d.variance.startsWith('learned'))
      ? 'weights/reinterpreted-prediction'
      : 'numerics/sampling',
    message: `the variance is ${b.variance} where it was ${a.variance}`,
  }),
  noise_schedule: (a, b) => ({
    rule: 'weights/reinterpreted-noise',
    message: `the noise schedule is ${b.noise_schedule} where it was ${a.noise_schedule}`,
  }),
  beta_start: betas,
  beta_end: betas,
  steps: (a, b) => {
    const message = `a timestep is one of ${b.steps} where it was one of ${a.steps}`;
    // rescaled timesteps run from 0 to 1000 whatever the steps
    return a.rescale_timesteps && b.rescale_timesteps
      ? { rule: 'numerics/sampling', severity: 'dangerous', message }
      : { rule: 'weights/reinterpreted-noise', message };
  },
  rescale_timesteps: (a, b) => ({
    rule:
      timestepScale(a) === timestepScale(b) || a.steps !== b.steps
        ? 'numerics/sampling'
        : 'weights/reinterpreted-noise',
    message: `the model is fed t * ${timestepScale(b)} where it was fed t * ${timestepScale(a)}`,
  }),
  timestep_spacing: (a, b) => ({
    rule: 'numerics/sampling',
    message: `timesteps are spread by ${b.timestep_spacing ?? "the original's respacing"} where it was ${a.timestep_spacing ?? "the original's respacing"}`,
  }),
  steps_offset: (a, b) => ({
    rule: 'numerics/sampling',
    message: `timesteps are shifted by ${b.steps_offset} where it was ${a.steps_offset}`,
  }),
  set_alpha_to_one: (_, b) => ({
    rule: 'numerics/sampling',
    message: `DDIM's last step leads to ${b.set_alpha_to_one ? 'the image' : 'the noise of timestep 0'}`,
  }),
  clip_range: (a, b) => ({
    rule: 'numerics/sampling',
    message: `guesses at the image are clipped to ${b.clip_range ?? 'nothing'} where it was ${a.clip_range ?? 'nothing'}`,
  }),
  // where only the variance is said otherwise, the loss that follows from it is no change of its own
  loss: (a, b) =>
    a.loss === usualLoss(a.variance) && b.loss === usualLoss(b.variance)
      ? null
      : {
          rule: 'numerics/training',
          message: `training makes ${b.loss} small where it was ${a.loss}`,
        },
};
