// What the options of a layer mean to someone who compares two models: the diff is made of these.

/** Keys that shapes show by themselves; they need no fact. */
export type Width = 'channels' | 'in_channels' | 'out_channels' | 'hidden' | 'classes';

/** Options whose change the diff has a rule of its own for (`weights/reinterpreted-heads`); `option` are all others. */
export type MeaningRule = 'heads' | 'resampling' | 'conditioning' | 'option';
export type ShapeRule = 'kernel' | 'skip' | 'option';
export type TrainingRule = 'dropout' | 'option';

/**
 * `meaning`: where names and shapes stay, old checkpoints load and mean something else. `shapes`: names or shapes always
 * show it. `training`: it has no effect on sampling.
 */
export type Fact<V = never> = (
  | {
      readonly changes: 'meaning';
      readonly rule?: MeaningRule;
      /** Whether the shapes of a checkpoint tell the value: by the layer's own tensors, or by its place among others. */
      readonly told?: boolean | 'by place';
    }
  | { readonly changes: 'shapes'; readonly rule?: ShapeRule }
  | { readonly changes: 'training'; readonly rule?: TrainingRule }
) & {
  /** The value in words; default: as it stands in a file. */
  text?(value: V): string;
  /** The option where a layer is printed, '' for nothing; default: its name and the value in words. */
  print?(value: V): string;
};

/** The options of a layer: all keys but its type and its widths. */
export type OptionOf<M> = Exclude<keyof M, 'type' | Width> & string;

/** A fact an option, none left out. */
export type Facts<M> = { readonly [K in OptionOf<M>]: Fact<M[K]> };

/** An option with its value as text. */
export interface FactOf {
  readonly field: string;
  readonly text: string;
  /** The option as it is printed behind the layer's channels. */
  readonly printed: string;
  readonly fact: Fact;
}

/** The facts of a layer or of what stands beside the blocks, in the order of its file. */
export function factsOf<M extends object>(module: M, facts: Facts<M>): readonly FactOf[] {
  return Object.entries<Fact>(facts).map(([field, fact]) => {
    const value = module[field as keyof M];
    const text =
      fact.text?.(value as never) ?? (typeof value === 'object' ? JSON.stringify(value) : String(value));
    return { field, text, printed: fact.print?.(value as never) ?? `${field} ${text}`, fact };
  });
}

/** Whether a checkpoint's shapes leave the value open. */
export function isUntold(fact: Fact): boolean {
  return fact.changes === 'training' || (fact.changes === 'meaning' && !fact.told);
}
