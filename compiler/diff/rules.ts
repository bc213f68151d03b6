// The table of rules of a diff: stable ids, how grave a finding is where nothing else decides, what it says, and what a
// person would do next. An id begins with its family.

import { TRAINING_RULES } from './training-rules.ts';

export const FAMILIES = [
  'graph',
  'weights',
  'interface',
  'numerics',
  'cost',
  'training',
  'schedule',
] as const;
export type Family = (typeof FAMILIES)[number];

/** The gravest first. */
export const SEVERITIES = ['breaking', 'dangerous', 'info'] as const;

/**
 * `breaking`: a checkpoint, a caller or an adapter that worked no longer does, or gives something else. `dangerous`: it
 * may. `info`: worth knowing in a review.
 */
export type Severity = (typeof SEVERITIES)[number];

export interface DiffRule {
  readonly severity: Severity;
  /** What the rule finds, as a phrase. */
  readonly title: string;
  /** What to do next. */
  readonly next: string;
}

const RETRAIN =
  'old checkpoints load and give garbage: put it back, or train anew and give the checkpoint a new name';
const SILENT =
  'what was trained before gives garbage even where it loads: put it back, or train anew and give the checkpoint a new name';
const RELOAD = 'old checkpoints no longer load: train anew, or put it back';

/** Ids never change their meaning. */
export const DIFF_RULES = {
  'graph/added': { severity: 'info', title: 'a new graph', next: 'nothing, where it was meant' },
  'graph/removed': {
    severity: 'breaking',
    title: 'a graph is gone',
    next: 'whoever names the file no longer finds it, and its checkpoints have no graph: put it back, or accept it',
  },
  'graph/renamed': {
    severity: 'dangerous',
    title: 'a graph has another path',
    next: 'adapt whoever names the file',
  },
  'graph/unread': {
    severity: 'dangerous',
    title: 'what a graph was before cannot be read',
    next: 'compare it by hand with what it was before it broke',
  },
  'weights/removed': {
    severity: 'breaking',
    title: 'parameters are gone',
    next: 'old checkpoints have tensors that nothing reads; a rename map (--write-rename-map) drops them',
  },
  'weights/reshaped': { severity: 'breaking', title: 'parameters have another shape', next: RELOAD },
  'weights/added': {
    severity: 'breaking',
    title: 'parameters are new',
    next: 'old checkpoints lack them: train anew, or put it back',
  },
  'weights/added-inert': {
    severity: 'dangerous',
    title: 'parameters are new, and inert while they are zero',
    next: 'old checkpoints give the same outputs with a rename map (--write-rename-map), which fills the new tensors with zeros',
  },
  'weights/renamed': {
    severity: 'breaking',
    title: 'parameters have another name',
    next: 'write a rename map with --write-rename-map FILE, and load old checkpoints with run --rename-map FILE',
  },
  'weights/reinterpreted-heads': {
    severity: 'breaking',
    title: 'the same keys and shapes, split into other attention heads',
    next: RETRAIN,
  },
  'weights/reinterpreted-resampling': {
    severity: 'breaking',
    title: 'the same keys and shapes, at another resolution or resampled in another way',
    next: RETRAIN,
  },
  'weights/reinterpreted-conditioning': {
    severity: 'breaking',
    title: 'the same keys and shapes, conditioned on time in another way',
    next: RETRAIN,
  },
  'weights/reinterpreted-option': {
    severity: 'breaking',
    title: 'the same keys and shapes, with another option of a layer',
    next: RETRAIN,
  },
  'weights/reinterpreted-input': {
    severity: 'breaking',
    title: 'the first convolution reads other channels',
    next: SILENT,
  },
  'weights/reinterpreted-prediction': {
    severity: 'breaking',
    title: 'the output means something else',
    next: SILENT,
  },
  'weights/reinterpreted-noise': {
    severity: 'breaking',
    title: 'timesteps mean something else',
    next: SILENT,
  },
  'interface/dims': { severity: 'breaking', title: 'other spatial dimensions', next: 'adapt every caller' },
  'interface/image-size': {
    severity: 'breaking',
    title: 'another image size',
    next: 'adapt every caller, or run the new graph with --size',
  },
  'interface/size-divisor': {
    severity: 'breaking',
    title: 'sizes must be divisible by another number',
    next: 'adapt callers that choose their own sizes: those that the new number does not divide are refused',
  },
  'interface/input-channels': {
    severity: 'breaking',
    title: 'another number of input channels',
    next: 'adapt every caller',
  },
  'interface/output-channels': {
    severity: 'breaking',
    title: 'another number of output channels',
    next: 'adapt every caller',
  },
  'interface/classes': { severity: 'breaking', title: 'other class labels', next: 'adapt every caller' },
  'interface/low-res': {
    severity: 'breaking',
    title: 'another low-resolution input',
    next: 'adapt every caller',
  },
  'interface/inputs': {
    severity: 'breaking',
    title: 'an input is new, gone, or of another kind',
    next: 'adapt every caller: what a model does not take, and what it misses, is a fault of every run',
  },
  'interface/taps': {
    severity: 'dangerous',
    title: 'other feature vectors',
    next: 'adapt what reads feature vectors by name (--taps)',
  },
  'interface/name': { severity: 'info', title: 'another name', next: 'nothing, where it was meant' },
  'interface/batch': {
    severity: 'breaking',
    title: 'compiled for another batch',
    next: 'adapt every caller, or compile with the old --batch',
  },
  'numerics/precision': {
    severity: 'dangerous',
    title: 'another precision',
    next: 'compare outputs on real weights before this is merged',
  },
  'numerics/strict': {
    severity: 'dangerous',
    title: 'less exact algorithms allowed or forbidden',
    next: 'compare outputs on real weights, or compile with the old --strict',
  },
  'numerics/heads': {
    severity: 'dangerous',
    title: 'other attention heads',
    next: 'nothing, where it was meant',
  },
  'numerics/conditioning': {
    severity: 'dangerous',
    title: 'time enters in another way',
    next: 'nothing, where it was meant',
  },
  'numerics/resampling': {
    severity: 'dangerous',
    title: 'resampled in another way',
    next: 'nothing, where it was meant',
  },
  'numerics/kernel': {
    severity: 'dangerous',
    title: 'another kernel size',
    next: 'nothing, where it was meant',
  },
  'numerics/skip': { severity: 'dangerous', title: 'another skip path', next: 'nothing, where it was meant' },
  'numerics/dropout': {
    severity: 'info',
    title: 'another dropout in training',
    next: 'nothing for sampling: dropout is inert there',
  },
  'numerics/option': {
    severity: 'dangerous',
    title: 'another option of a layer',
    next: 'nothing, where it was meant',
  },
  'numerics/epsilon': {
    severity: 'dangerous',
    title: 'another epsilon of the norms',
    next: 'compile both with the same version of unetc',
  },
  'numerics/timestep-period': {
    severity: 'breaking',
    title: 'another period of the timestep embedding',
    next: 'compile both with the same version of unetc',
  },
  'numerics/sampling': {
    severity: 'info',
    title: 'other defaults of sampling',
    next: 'compare samples: the weights mean the same, the images may differ',
  },
  'numerics/training': {
    severity: 'info',
    title: 'another loss in training',
    next: 'nothing for weights that are there; training them on goes another way',
  },
  'cost/params': {
    severity: 'info',
    title: 'parameters',
    next: 'set budgets in the graph to hold it to them',
  },
  'cost/macs': {
    severity: 'info',
    title: 'multiply-accumulates of one image',
    next: 'set budgets in the graph to hold it to them',
  },
  'cost/activation-peak': {
    severity: 'info',
    title: 'bytes of the activation buffers',
    next: 'set budgets in the graph to hold it to them',
  },
  'cost/weight-bytes': {
    severity: 'info',
    title: 'bytes of the weights',
    next: 'set budgets in the graph to hold it to them',
  },
  'cost/over-budget': {
    severity: 'breaking',
    title: 'more than the budget',
    next: 'make the model smaller, or raise the budget in a change that says why',
  },
  'cost/budget-changed': {
    severity: 'info',
    title: 'another budget',
    next: 'ask whether the model was to grow',
  },
  ...TRAINING_RULES,
  'schedule/target': { severity: 'dangerous', title: 'another target', next: 'compile both for one target' },
  'schedule/features': {
    severity: 'breaking',
    title: 'other features of the adapter are needed',
    next: 'adapters without them can no longer run it: compile with --target generic',
  },
  'schedule/limits': {
    severity: 'info',
    title: 'other limits of the adapter are needed',
    next: 'a smaller batch or size needs smaller buffers',
  },
  'schedule/dispatches': { severity: 'info', title: 'dispatches', next: 'look at what was no longer fused' },
  'schedule/pipelines': {
    severity: 'info',
    title: 'distinct kernels',
    next: 'each is compiled at the start: cold starts take that much longer or shorter',
  },
  'schedule/slots': { severity: 'info', title: 'activation buffers', next: 'nothing, where it was meant' },
  'schedule/fusion-lost': {
    severity: 'dangerous',
    title: 'no longer fused',
    next: 'it is a dispatch of its own now: measure it with unetc profile',
  },
  'schedule/fusion-gained': { severity: 'info', title: 'fused now', next: 'nothing' },
  'schedule/kernels': {
    severity: 'info',
    title: 'other kernel sources',
    next: '--kernels shows them as a unified diff',
  },
} as const satisfies Readonly<Record<`${Family}/${string}`, DiffRule>>;

export type RuleId = keyof typeof DIFF_RULES;

/** The family of a rule: what stands before the slash. */
export function familyOf(rule: RuleId): Family {
  return rule.slice(0, rule.indexOf('/')) as Family;
}
