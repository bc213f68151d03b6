// What the whole model means beside its layers: which noise it was trained on, what it predicts, what enters it. Where
// every key and shape stays, a change here is the silent kind: checkpoints load and give garbage.

import { entryChannels } from '../families/blocks.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { sameShape } from './parameters.ts';
import { pointerTo } from './pointers.ts';
import type { Severity } from './rules.ts';
import { type GraphPair, known } from './side.ts';

/** Compares what both graphs say of training and sampling, and how the input is made up. */
export function diffMeaning(sides: GraphPair): readonly Finding[] {
  const same = sameParameters(sides);
  return [
    ...inputDrafts(sides, same),
    ...(known(sides, 'diffusion') ? diffusionDrafts(sides, same) : []),
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
function inputDrafts(sides: GraphPair, same: boolean): readonly FindingDraft[] {
  const [a, b] = [sides.a.graph, sides.b.graph];
  if (!known(sides, 'in_channels')) return [];
  if (!same || entryChannels(a) !== entryChannels(b) || a.in_channels === b.in_channels) return [];
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
      message: `the first convolution reads ${text(b)} where it read ${text(a)}, and every key and shape stayed`,
    },
  ];
}

function diffusionDrafts(sides: GraphPair, same: boolean): readonly FindingDraft[] {
  const [a, b] = [sides.a.graph.diffusion, sides.b.graph.diffusion];
  const drafts: FindingDraft[] = [];
  const say = (
    rule: 'weights/reinterpreted-prediction' | 'weights/reinterpreted-noise' | 'numerics/sampling',
    key: string,
    before: string,
    after: string,
    message: string,
    severity?: Severity,
  ): void => {
    if (before === after) return;
    const silent = rule !== 'numerics/sampling' && same;
    drafts.push({
      rule: silent ? rule : 'numerics/sampling',
      change: '~',
      place: `diffusion.${key}`,
      pointer: pointerTo(sides, [`diffusion.${key}`]),
      before,
      after,
      message: silent ? `${message}, and every key and shape stayed` : message,
      ...(severity && { severity }),
    });
  };
  const learned = [a, b].every((d) => d.variance.startsWith('learned'));
  const scale = (d: typeof a) => (d.rescale_timesteps ? 1000 / d.steps : 1);
  say(
    'weights/reinterpreted-prediction',
    'predict',
    a.predict,
    b.predict,
    `the output is read as ${b.predict} where it was ${a.predict}`,
  );
  say(
    learned ? 'weights/reinterpreted-prediction' : 'numerics/sampling',
    'variance',
    a.variance,
    b.variance,
    `the variance is ${b.variance} where it was ${a.variance}`,
  );
  say(
    'weights/reinterpreted-noise',
    'noise_schedule',
    a.noise_schedule,
    b.noise_schedule,
    `the noise schedule is ${b.noise_schedule} where it was ${a.noise_schedule}`,
  );
  // rescaled timesteps run from 0 to 1000 whatever the steps
  const rescaled = a.rescale_timesteps && b.rescale_timesteps;
  say(
    rescaled ? 'numerics/sampling' : 'weights/reinterpreted-noise',
    'steps',
    String(a.steps),
    String(b.steps),
    `a timestep is one of ${b.steps} where it was one of ${a.steps}`,
    rescaled ? 'dangerous' : undefined,
  );
  say(
    scale(a) === scale(b) || a.steps !== b.steps ? 'numerics/sampling' : 'weights/reinterpreted-noise',
    'rescale_timesteps',
    String(a.rescale_timesteps),
    String(b.rescale_timesteps),
    `the model is fed t * ${scale(b)} where it was fed t * ${scale(a)}`,
  );
  return drafts;
}
