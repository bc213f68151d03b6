// The inputs that a model takes beside those with a rule of their own: a second label, another number a sample. They are
// declared by layers where they are lowered, so that what the graph's ports are is what callers have to give.

import type { InputSpec } from '../../runtime/bundle.ts';
import { graphInputs } from '../graph/inputs.ts';
import { count } from '../graph/words.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { pointerTo } from './pointers.ts';
import type { GraphPair } from './side.ts';

/** What other rules of the interface tell: sizes and channels, the period, classes, the low-resolution image. */
const TOLD: ReadonlySet<string> = new Set(['x', 'timesteps', 'y', 'low_res']);

/** Compares the inputs of both graphs. */
export function diffInputs(sides: GraphPair): readonly Finding[] {
  const pointer = pointerTo(sides, []);
  return compareInputs(graphInputs(sides.a.graph), graphInputs(sides.b.graph)).map((draft) =>
    finding({ ...draft, pointer }),
  );
}

/** What came, went or is of another kind between two lists of inputs, by name. */
export function compareInputs(
  a: readonly InputSpec[],
  b: readonly InputSpec[],
): readonly Omit<FindingDraft, 'pointer'>[] {
  const [old, fresh] = [a, b].map(
    (inputs) => new Map(inputs.filter(({ name }) => !TOLD.has(name)).map((one) => [one.name, kindOf(one)])),
  ) as [Map<string, string>, Map<string, string>];
  return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((name) => {
    const [before = null, after = null] = [old.get(name), fresh.get(name)];
    if (before === after) return [];
    return [{ rule: 'interface/inputs', place: name, before, after, ...said(name, before, after) }];
  });
}

function said(
  name: string,
  before: string | null,
  after: string | null,
): Pick<FindingDraft, 'change' | 'message'> {
  if (before === null) return { change: '+', message: `an input ${name} has to be given now` };
  if (after === null) return { change: '-', message: `there is no input ${name} any more` };
  return { change: '~', message: `the input ${name} is of another kind` };
}

/** An input in words: how it is encoded, and of how many what. */
function kindOf(input: InputSpec): string {
  const { encoding, dtype, shape } = input;
  switch (encoding) {
    case 'label':
      return `a label of ${count(input.classes, 'class', 'classes')}`;
    case 'timestep':
      return 'a timestep';
    case 'image':
    case 'plain':
      return `${encoding} ${dtype} [batch${shape
        .slice(1)
        .map((n) => `, ${n}`)
        .join('')}]`;
  }
}
