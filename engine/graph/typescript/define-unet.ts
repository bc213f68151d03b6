// `defineUNet`: the type of a graph file for those who write it in TypeScript.

import type { z } from 'zod';
import type { compactFile } from '../../../compiler/spec/compact.ts';
import type { explicitFile } from '../../../compiler/spec/explicit.ts';

/** A graph file of the compact or the explicit form. */
export type GraphFile = z.input<typeof compactFile> | z.input<typeof explicitFile>;

/**
 * Gives back the graph as it is: it makes the editor complete and check its keys. `unetc` reads the call in a file's
 * `export default defineUNet({ … })` without executing the file.
 */
export function defineUNet(graph: GraphFile): GraphFile {
  return graph;
}
