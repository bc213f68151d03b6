// Steps of several chains that are taken together: what they ask at the same time is one forward pass.

import type { Answer, Step, StepResult } from './samplers/sampler.ts';

/**
 * Takes steps that began at one index to their ends.
 * @param ask what is answered for images at an index, in the order of the steps
 */
export async function takeSteps(
  steps: readonly Step[],
  ask: (index: number, rows: readonly Float32Array[]) => Promise<readonly Answer[]>,
): Promise<readonly StepResult[]> {
  let turns = steps.map((step) => step.next());
  for (;;) {
    const questions = turns.flatMap(({ done, value }) => (done ? [] : [value]));
    if (questions.length === 0) return turns.flatMap(({ done, value }) => (done ? [value] : []));
    const index = questions[0]!.index;
    if (questions.length < steps.length || questions.some((question) => question.index !== index)) {
      throw new Error('internal: the steps of a batch ask for different indices');
    }
    const answers = await ask(
      index,
      questions.map(({ x }) => x),
    );
    turns = steps.map((step, k) => step.next(answers[k]!));
  }
}
