// `importDiffusers` of the Node API: a folder of diffusers as a graph, with nobody to tell notes to.

import { CHECKED_LATER, type Check, checkArgument, checkOptions, textOf } from '../../runtime/arguments.ts';
import { checkSettings } from '../compile/model-settings.ts';
import { silentHost } from '../host.ts';
import { importFolder } from './import-folder.ts';

export interface ImportDiffusersOptions {
  /** Image size instead of the config's sample_size; one number stands for both sides. */
  readonly size?: number | readonly number[] | undefined;
  /** What the graph is called. Default: the folder's name. */
  readonly name?: string | undefined;
  /** Another scheduler_config.json than the one beside the config; `none` leaves the process out. */
  readonly scheduler?: string | undefined;
}

const IMPORT_OPTIONS = {
  size: CHECKED_LATER,
  name: textOf("a text: the graph's name"),
  scheduler: textOf("the path of a file, or 'none'"),
} as const satisfies { readonly [name in keyof Required<ImportDiffusersOptions>]: Check };

/** What a folder of diffusers comes to. */
export interface ImportedDiffusers {
  /** The graph, as `compile` and `load` take it. */
  readonly graph: object;
  /** The checkpoint beside its config.json, as `load` takes it; null where there is none. */
  readonly weights: string | null;
  /** What was left out or chosen, and what is odd about the graph. */
  readonly notes: readonly string[];
}

/**
 * The graph of a folder of diffusers with a UNet2DModel: of its config.json, and of its scheduler_config.json beside it or
 * in `scheduler`. Throws UsageError for an argument that is off, GraphError where a file is missing or says what no graph can express.
 */
export function importDiffusers(folder: string, given: ImportDiffusersOptions = {}): ImportedDiffusers {
  checkArgument('folder', folder, textOf('the path of a folder of diffusers'));
  checkOptions('importDiffusers', given, IMPORT_OPTIONS);
  const { size, ...options } = given;
  checkSettings({ size: typeof size === 'number' ? [size] : size });
  const notes: string[] = [];
  const asked = typeof size === 'number' ? [size] : size;
  const { spec, weights } = importFolder(folder, { ...options, size: asked }, silentHost(notes));
  return { graph: spec, weights, notes };
}
