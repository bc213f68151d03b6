// `unetc report`: what a graph is, costs and is compiled to, as a text beside it that pull requests show the changes of.
// Numbers of values and dispatches are left out, for they move with every block that comes or goes.

import { compileGraph } from '../compiler/compile.ts';
import type { GraphPlace } from '../compiler/diagnostics.ts';
import { costOfSide, METRICS, type Metric, whole } from '../compiler/diff/cost.ts';
import { rolesOf } from '../compiler/diff/roles.ts';
import { scheduleFacts } from '../compiler/diff/schedule-facts.ts';
import { sideOfGraph } from '../compiler/diff/side.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { graphMacs, totalMacs } from '../compiler/graph/macs.ts';
import { graphModules } from '../compiler/graph/modules.ts';
import { printGraph } from '../compiler/graph/print.ts';
import { printLayer } from '../compiler/layers/queries.ts';
import type { Bundle } from '../runtime/bundle.ts';
import { type Column, textTable } from './text-table.ts';

export interface Report {
  readonly text: string;
  /** Metrics that are over the graph's budget, as sentences. */
  readonly over: readonly string[];
}

/**
 * The report of a graph for the target that runs everywhere, one image, float32. `file` is the graph's own name, `place`
 * what faults are told of.
 */
export function reportOf(graph: Graph, file: string, place: GraphPlace = { label: file }): Report {
  const { bundle } = compileGraph(graph, { place });
  const schedule = scheduleFacts(bundle);
  const cost = costOfSide(sideOfGraph(file, graph, { schedule }));
  const metrics = Object.keys(METRICS) as Metric[];
  const rows = metrics.map((metric) => {
    const budget = graph.budgets?.[metric];
    const value = cost[metric]!;
    const held = budget === undefined ? '' : `of ${whole(budget)}${value > budget ? ', OVER BUDGET' : ''}`;
    return [METRICS[metric].title, whole(value), held];
  });
  const over = metrics.flatMap((metric) => {
    const budget = graph.budgets?.[metric];
    const value = cost[metric]!;
    if (budget === undefined || value <= budget) return [];
    return [`${whole(value)} ${METRICS[metric].title} where the budget is ${whole(budget)}`];
  });
  const head = printGraph(graph).split('\n');
  const until = head.findIndex((line) => line.startsWith('input_blocks'));
  const text = [
    `Written from ${file} by unetc report --write; do not edit.`,
    '',
    ...head.slice(0, until),
    '',
    ...table(['cost of one image', '', ''], rows, 'lrl'),
    '',
    ...layerTable(graph),
    '',
    ...scheduleLines(bundle),
    '',
  ];
  return { text: text.map((line) => line.trimEnd()).join('\n'), over };
}

function layerTable(graph: Graph): readonly string[] {
  const macs = graphMacs(graph);
  const total = totalMacs(macs.total);
  const roles = rolesOf(graph);
  const params = new Map(graphModules(graph).map((m) => [m.path, scalars(m.parameters)]));
  const row = (role: string, path: string, text: string, size: string): readonly string[] => {
    const own = totalMacs(macs.modules.get(path)!);
    const share = `${((100 * own) / total).toFixed(2)} %`;
    return [role, path, text, size, whole(params.get(path)!), whole(own), share];
  };
  const { channels, hidden } = graph.time_embed;
  const rows = [
    row('time_embed', 'time_embed', `${channels} -> ${hidden}`, ''),
    ...graph.blocks.flatMap((block) =>
      block.layers.map(({ layer, path, in_size, out_size }) => {
        const sizes = [...new Set([in_size.join('x'), out_size.join('x')])].join(' -> ');
        return row(roles.get(path)!.name, path, printLayer(layer), sizes);
      }),
    ),
    graph.pool
      ? row('pool', 'out', `${graph.pool.type} ${graph.head.channels} -> ${graph.out_channels} classes`, '')
      : row('head', 'out', `${graph.head.channels} -> ${graph.out_channels}`, graph.image_size.join('x')),
  ];
  const title = ['role', 'path', 'layer', 'size', 'parameters', 'multiply-accumulates', ''];
  return table(title, rows, 'llllrrr');
}

function scalars(list: readonly { readonly shape: readonly number[] }[]): number {
  return list.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0);
}

/** `align` has a letter a column: l or r. */
function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  align: string,
): readonly string[] {
  const columns = titles.map((title, i): Column => ({ title, align: align[i] === 'l' ? 'left' : 'right' }));
  return textTable(columns, rows).trimEnd().split('\n');
}

function scheduleLines({ manifest }: Bundle): readonly string[] {
  const { target, batch, precision, slots, kernels, dispatches } = manifest;
  return [
    `schedule for ${target}, batch ${batch}, ${precision}: ${dispatches.length} dispatches of ${kernels.length} kernels, ${slots.length} activation buffers`,
    ...dispatches.map(({ group }) => `  ${withoutNumbers(group)}`),
  ];
}

/** A schedule's line without the dispatch's number and the numbers of values. */
export function withoutNumbers(line: string): string {
  return line
    .replace(/^#\d+ +/, '')
    .replace(/(?:%\d+ )*(?:%\d+ )?-> (?:%\d+ ?)+/, '')
    .replace(/ ?%\d+/g, '')
    .replace(/ {3,}/g, '  ');
}
