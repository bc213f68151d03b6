// Graphs: JSON and TypeScript to a checked Graph, and what a checked one compiles to.

import { compileGraph } from '../../../../compiler/compile.ts';
import { printExplicit, toExplicit } from '../../../../compiler/graph/explicit.ts';
import { type LoadedGraph, loadGraph } from '../../../../compiler/graph/load.ts';
import { parameters } from '../../../../compiler/graph/parameters.ts';
import { readTypeScript } from '../../../../engine/graph/typescript/read-graph.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateJson, mutateText, textOfJson } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import type { Random } from '../random.ts';
import { graphModules, graphTexts } from '../seeds.ts';

const texts = graphTexts();
const documents = texts.map((text) => JSON.parse(text));
const modules = graphModules();

function graphText(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return mutateBytes(bytesOf(random.pick(texts)), texts.map(bytesOf), random);
    case 1:
      return bytesOf(mutateText(random.pick(texts), texts, random));
    default:
      return bytesOf(textOfJson(mutateJson(random.pick(documents), documents, random), random));
  }
}

/** The explicit form of a graph that was taken builds the same graph. */
function checkExplicit({ graph }: LoadedGraph): void {
  const again = loadGraph(printExplicit(toExplicit(graph)), 'explicit').graph;
  const listed = (one: typeof graph) =>
    parameters(one)
      .map(({ name, shape }) => `${name} ${shape}`)
      .join();
  consistent(listed(again) === listed(graph), 'the explicit form has other parameters');
  consistent(
    JSON.stringify(again.diffusion) === JSON.stringify(graph.diffusion),
    'the explicit form has another diffusion',
  );
}

/** Blocks beyond which a second look takes too long. */
const LOOKED_INTO = 60;

export const graphJson: Parser = {
  name: 'graph',
  share: 14,
  make: graphText,
  async read(input) {
    const loaded = await readOr(['graph'], () => loadGraph(textOf(input), 'input.json'));
    if (loaded === refused) return false;
    if (loaded.graph.blocks.length < LOOKED_INTO) checkExplicit(loaded);
    return true;
  },
};

export const graphTypeScript: Parser = {
  name: 'graph-ts',
  share: 3,
  make(random) {
    const module = random.pick(modules);
    return random.oneIn(3)
      ? mutateBytes(bytesOf(module), modules.map(bytesOf), random)
      : bytesOf(mutateText(module, modules, random));
  },
  async read(input) {
    const loaded = await readOr(['graph'], () => loadGraph(readTypeScript(textOf(input)), 'input.ts'));
    return loaded !== refused;
  },
};

/** Blocks beyond which compiling one input takes as long as a thousand others. */
const COMPILED = 30;

/** A graph that was taken compiles, or is refused as a graph that the target cannot reach. */
export const compiled: Parser = {
  name: 'compile',
  share: 1,
  make: graphText,
  async read(input) {
    const loaded = await readOr(['graph'], () => loadGraph(textOf(input), 'input.json'));
    if (loaded === refused) return false;
    if (loaded.graph.blocks.length > COMPILED) return true;
    const place = { label: 'input.json', locate: loaded.locate };
    const result = await readOr(['graph'], () => compileGraph(loaded.graph, { place }));
    if (result === refused) return false;
    const { manifest } = result.bundle;
    consistent(
      manifest.parameters.length === parameters(loaded.graph).length,
      'the bundle has other parameters',
    );
    return true;
  },
};
