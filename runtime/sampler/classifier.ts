// A classifier as guidance calls it, and the ports of a model that it guides. A classifier takes `x`, `timesteps` and, where
// it was compiled with its gradient, labels `y`; it gives logits as `output`, and that `gradient`. A guided model takes and
// gives what the model does, the labels under a name of their own, for a model without classes has none, and the gradient.

import { RuntimeError } from '../errors.ts';
import type { ModelInterface } from '../model.ts';
import type { InputSpec } from '../ports.ts';

/** The output that a classifier's gradient is, of a classifier and of a guided model. */
export const GRADIENT = 'gradient';

/** The input of a guided model that the classifier takes as its `y`. */
export const CLASSIFIER_LABELS = 'classifier_y';

/** What the gradient is multiplied with where nobody says, as by the original. */
export const USUAL_CLASSIFIER_SCALE = 1;

/** Whether a model gives numbers a sample where a denoiser gives images. */
export function isClassifier({ outputs }: ModelInterface): boolean {
  return outputs.find(({ name }) => name === 'output')?.shape.length === 2;
}

/** What messages call the two. */
export interface GuidedNames {
  readonly model: string;
  readonly classifier: string;
}

/**
 * What a model takes and gives that a classifier guides.
 * @throws RuntimeError('input') where they do not go together, with every reason and both sides
 */
export function guidedInterface(
  model: ModelInterface,
  classifier: ModelInterface,
  names: GuidedNames = { model: 'the model', classifier: 'the classifier' },
): ModelInterface {
  const labels = labelsOf(classifier);
  const faults = [
    ...(isClassifier(classifier)
      ? []
      : ['it gives images, so it is no classifier; give a graph with "adm_classifier"']),
    ...(isClassifier(classifier) && labels === undefined
      ? ['it was compiled without its gradient; compile it again with --gradient (gradient: true)']
      : []),
    ...imageFaults(model, classifier),
  ];
  if (faults.length > 0 || labels === undefined) {
    throw new RuntimeError('input', `${names.classifier} cannot guide ${names.model}: ${faults.join('; ')}`);
  }
  const gradient = classifier.outputs.filter(({ name }) => name === GRADIENT);
  return {
    batch: model.batch,
    inputs: [...model.inputs, { ...labels, name: CLASSIFIER_LABELS }],
    outputs: [...model.outputs.filter(({ name }) => name === 'output'), ...gradient],
  };
}

function labelsOf({ inputs, outputs }: ModelInterface): InputSpec | undefined {
  const isDifferentiated = outputs.some(({ name }) => name === GRADIENT);
  return isDifferentiated
    ? inputs.find(({ name, encoding }) => name === 'y' && encoding === 'label')
    : undefined;
}

/** Both read the same x: in batch, channels, size and element type. */
function imageFaults(model: ModelInterface, classifier: ModelInterface): readonly string[] {
  const imagesOf = ({ inputs }: ModelInterface) => inputs.find(({ name }) => name === 'x');
  const [ours, theirs] = [imagesOf(model), imagesOf(classifier)];
  if (ours === undefined || theirs === undefined) return ['both must take images x'];
  const [, channels, ...size] = ours.shape;
  const [, others, ...otherSize] = theirs.shape;
  const shown = (sizes: readonly number[]) => sizes.join('x');
  return [
    ...(others === channels
      ? []
      : [
          `it takes images of ${others} channels, and the model of ${channels}; give a classifier of ${channels}`,
        ]),
    ...(shown(size) === shown(otherSize)
      ? []
      : [
          `it takes images of ${shown(otherSize)}, and the model of ${shown(size)}; give a classifier for ${shown(size)}`,
        ]),
    ...(model.batch === classifier.batch
      ? []
      : [
          `it takes ${classifier.batch} images in a pass, and the model ${model.batch}; compile one of them again with the batch of the other`,
        ]),
    ...(ours.dtype === theirs.dtype
      ? []
      : [`it takes x as ${theirs.dtype}, and the model as ${ours.dtype}; compile them again`]),
  ];
}
