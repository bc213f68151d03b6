// What a family of models is: the keywords of a graph file that make one, and what its checkpoints look like.

import type { z } from 'zod';
import type { Diagnostic } from '../diagnostics.ts';
import { head, tail } from '../format/common.ts';
import { strict } from '../format/fields.ts';
import type { Json } from '../format/json.ts';
import type { Draft } from './draft.ts';
import type { NamingName } from './namings.ts';
import type { BareTensors, Tensors } from './tensors.ts';

export type JsonObject = Readonly<Record<string, Json>>;

/** The keys that files of every form share. */
export type CommonFile = Readonly<z.output<ReturnType<typeof commonFile>>>;

/** A row of the table of families; `F` is a graph file of the family with its defaults filled in. */
export interface Family<F> {
  /** What messages call it: the project whose models they are. */
  readonly title: string;
  /** The keywords, which stand in a file under the family's key, by name. */
  readonly keywords: Readonly<Record<string, z.ZodType>>;
  readonly file: z.ZodType<F>;
  /** Stand-ins for required keywords, so that the rules can be checked on a file in which some are at fault. */
  readonly standIns: JsonObject;
  readonly naming: NamingName;
  draft(file: F): Draft;
  /** Rules of the family's own, beside those that hold for every draft. `image_size` is null where it is at fault. */
  rules(file: F, image_size: readonly number[] | null): readonly Diagnostic[];
  /** The keywords that decide an option of a layer, by the option. */
  readonly decides: Readonly<Record<string, readonly string[]>>;
  /** The keywords that decide what a model is made of, by what a change of them is seen in, the likeliest first. */
  readonly shapes: Readonly<Record<ShapeTopic, readonly string[]>>;
  /** Keywords whose values no shape tells. */
  readonly untold: readonly string[];
  /** The graphs that a checkpoint may belong to, called `name` where it is none that is published; or why to none. */
  read(tensors: Tensors, name: string): Reading | Unread;
  /** The models that were published with weights. */
  readonly published: readonly { readonly name: string }[];
}

/** Where a change of keywords is seen: which layers there are, how wide they are, and what stands beside the blocks. */
export type ShapeTopic = 'blocks' | 'widths' | 'levels' | 'time_embed' | 'label_emb' | 'out';

/** A checkpoint as a family reads it. Nothing in it is checked: what was read wrongly has other tensors. */
export interface Reading {
  readonly tensors: BareTensors;
  /** The likeliest first. */
  readonly candidates: readonly Candidate[];
}

/** Why a checkpoint is none of a family. */
export interface Unread {
  readonly fault: string;
  /** Whether nothing in it looks like the family, so that what is missing tells nobody anything. */
  readonly foreign: boolean;
}

export interface Candidate {
  /** A graph file as JSON. */
  readonly spec: JsonObject;
  /** The keys of `spec` whose values are guesses. */
  readonly undetermined: readonly Undetermined[];
}

/** A key of an inferred graph, as a JSON pointer, whose value no shape tells. */
export interface Undetermined {
  readonly key: string;
  /** What the value may be, and what known graphs have. */
  readonly hint: string;
}

/** The schema of the graph files of a family: its keywords under its key, between what all files have. */
export function familyFile<K extends string, S extends z.ZodType>(key: K, keywords: S) {
  const own = { [key]: keywords } as { readonly [P in K]: S };
  return strict({ ...head, ...own, ...tail });
}

function commonFile() {
  return strict({ ...head, ...tail });
}
