// A model and the classifier that guides it as one model, which gives the classifier's gradient beside its output. Where both
// are on one device a pass is one submission: x goes up once and is copied on the device to where the classifier reads it,
// neither pass waits for the host, and output and gradient come down in one read. The step itself is the host's, whose
// float32 rounds as the original's does (sampler/distribution.ts), so these two are all that it reads.

import { checkInputs } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import type { Model, ModelInputs, TimeRow } from './model.ts';
import { bytesOfOutputs, placeOutputs } from './outputs.ts';
import { bytesOfPort } from './ports.ts';
import type { Program } from './program.ts';
import { CLASSIFIER_LABELS, GRADIENT, type GuidedNames, guidedInterface } from './sampler/classifier.ts';
import { createSubmitter } from './submit.ts';
import type { Tensor } from './tensor.ts';
import { createWatchdog } from './watchdog.ts';

/** A guided model. */
export interface GuidedModel extends Model {
  /** Releases what it has beside the two models, which stay open. */
  close(): void;
}

/**
 * Joins a model with a classifier that was compiled with its gradient. A run that gives no labels for the classifier is one
 * of the model alone.
 * @throws RuntimeError('input') where they do not go together, with every reason
 */
export function guidedModel(model: Model, classifier: Model, names?: GuidedNames): GuidedModel {
  const face = guidedInterface(model.interface, classifier.interface, names);
  const { run, close } = together(model, classifier);
  return {
    interface: face,
    in_flight: Math.min(model.in_flight ?? 1, classifier.in_flight ?? 1),
    async prepareTimes(rows) {
      const all: readonly TimeRow[] = [...rows];
      await model.prepareTimes?.(all);
      await classifier.prepareTimes?.(all);
    },
    async run(inputs) {
      const { own, theirs } = guidedParts(inputs);
      return theirs === null ? model.run(own) : run(own, theirs);
    },
    reuse(outputs) {
      // each knows its own
      model.reuse?.(outputs);
      classifier.reuse?.(outputs);
    },
    close,
  };
}

/** What the model is given of a guided model's inputs, and what its classifier; null where it is not asked. */
export function guidedParts(inputs: ModelInputs): {
  readonly own: ModelInputs;
  readonly theirs: ModelInputs | null;
} {
  const { [CLASSIFIER_LABELS]: y, ...own } = inputs;
  return { own, theirs: y === undefined ? null : { x: own.x, timesteps: own.timesteps, y } };
}

interface Together {
  /** A pass of both, over the same x. */
  run(own: ModelInputs, theirs: ModelInputs): Promise<ReadonlyMap<string, Tensor>>;
  close(): void;
}

function together(model: Model, classifier: Model): Together {
  if (isProgram(model) && isProgram(classifier) && model.opened.device === classifier.opened.device) {
    return onOneDevice(model, classifier);
  }
  return {
    async run(own, theirs) {
      const [ours, others] = await Promise.all([model.run(own), classifier.run(theirs)]);
      return new Map([...ours].concat([[GRADIENT, others.get(GRADIENT)!]]));
    },
    close: () => undefined,
  };
}

function onOneDevice(model: Program, classifier: Program): Together {
  const [from, to] = [model.forward, classifier.forward].map(({ inputs, buffer }) => {
    const port = inputs.find(({ name }) => name === 'x')!;
    return { buffer: buffer(port.slot), bytes: bytesOfPort(port) };
  }) as [Image, Image];
  const own = placed(model, 'output', 0);
  const outputs = [...own, ...placed(classifier, GRADIENT, bytesOfOutputs(own))];
  const seconds = model.watchdog.seconds + classifier.watchdog.seconds;
  const watchdog = createWatchdog(model.opened, seconds);
  const submitter = createSubmitter(model.opened, bytesOfOutputs(outputs), watchdog);
  return {
    async run(ours, theirs) {
      checkInputs(ours, model.forward.inputs);
      checkInputs(theirs, classifier.forward.inputs);
      const { x: _, ...others } = theirs;
      return submitter.run({
        name: 'the pass of a model and its classifier',
        outputs,
        encode(recorder) {
          // all that dispatches of either read, before those of the model take x's memory for other values
          model.forward.write(ours, recorder);
          classifier.forward.write(others, recorder);
          recorder.encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, from.bytes);
          model.forward.encode(recorder);
          classifier.forward.encode(recorder);
        },
      });
    },
    close: () => submitter.destroy(),
  };
}

/** Where images stand. */
interface Image {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

function placed({ forward }: Program, name: string, first: number) {
  const ports = forward.outputs.filter((port) => port.name === name);
  if (ports.length === 0) throw new RuntimeError('bundle', `the bundle gives no ${name}`);
  return placeOutputs(ports, forward.place, first);
}

function isProgram(model: Model): model is Program {
  return 'forward' in model && 'opened' in model;
}
