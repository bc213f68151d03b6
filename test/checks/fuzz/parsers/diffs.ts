// Differences of two graphs: whatever two graphs may be, a diff ends, and one of a graph with itself finds nothing.

import { writeFileSync } from 'node:fs';
import { readSide } from '../../../../engine/diff/read-side.ts';
import { runDiff } from '../../../../engine/diff/run-diff.ts';
import { mutateJson, textOfJson } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import { graphTexts } from '../seeds.ts';

const documents = graphTexts().map((text) => JSON.parse(text));
const OPTIONS = {
  failOn: 'breaking',
  accepted: {},
  schedule: 'never',
  target: 'generic',
  kernels: false,
  training: null,
} as const;

/** Blocks beyond which a comparison takes as long as a hundred others. */
const COMPARED = 60;

export const diff: Parser = {
  name: 'diff',
  share: 3,
  make(random) {
    const seed = random.pick(documents);
    const other = random.oneIn(4) ? random.pick(documents) : seed;
    const [a, b] = [seed, other].map((one) => textOfJson(mutateJson(one, documents, random), random));
    return bytesOf(`${random.oneIn(3) ? JSON.stringify(seed) : a}\u0001${b}`);
  },
  async read(input, at) {
    const [a = '', b = ''] = textOf(input).split('\u0001');
    writeFileSync(at('a.json'), a);
    writeFileSync(at('b.json'), b);
    const sides = await readOr(['graph', 'weights'], async () => [
      await readSide(at('a.json')),
      await readSide(at('b.json')),
    ]);
    if (sides === refused) return false;
    const [from, to] = sides;
    if (sides.some(({ side }) => (side.graph?.blocks.length ?? 0) > COMPARED)) return true;
    const { document } = await runDiff(from!, to!, OPTIONS);
    const { breaking, dangerous, info, accepted } = document.summary;
    consistent(
      breaking + dangerous + info + accepted === document.findings.length,
      'the summary counts other findings',
    );
    const itself = await runDiff(to!, to!, OPTIONS);
    consistent(itself.document.findings.length === 0, 'a graph differs from itself');
    return true;
  },
};
