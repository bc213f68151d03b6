// `defineUNet`: the type of a graph file for those who write it in TypeScript.

import type { z } from 'zod';
import type { FAMILIES, FamilyKey } from '../../../compiler/families/index.ts';
import type { explicitFile } from '../../../compiler/spec/explicit.ts';

/** Whatever is only read: a list may be one that its author made `as const`. */
type Unchanged<T> = T extends object ? { readonly [K in keyof T]: Unchanged<T[K]> } : T;

/** A graph file with the keywords of a family, or of the explicit form. */
export type GraphFile = Unchanged<
  z.input<(typeof FAMILIES)[FamilyKey]['file']> | z.input<typeof explicitFile>
>;

/**
 * Gives back the graph as it is: it makes the editor complete and check its keys. `unetc` reads the call in a file's
 * `export default defineUNet({ … })` without executing the file.
 */
export function defineUNet(graph: GraphFile): GraphFile {
  return graph;
}
