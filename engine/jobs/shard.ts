// Parts of a job, for processes that share it: which samples a part has, and how its files are called.

/** Part `index`, counted from 0, of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
  /** Where it was found: an option or the names of environment variables; null where nothing asks for shards. */
  readonly from: string | null;
}

/** The whole job. */
export const WHOLE: Shard = { index: 0, count: 1, from: null };

/** The positions, of `total`, that a shard has: runs of equal length but for one. */
export function shardRange({ index, count }: Shard, total: number): readonly [first: number, end: number] {
  return [Math.floor((index * total) / count), Math.floor(((index + 1) * total) / count)];
}

/** The index of the shard, of `count`, that has a position of `total`. */
export function shardAt(position: number, count: number, total: number): number {
  return Math.floor((count * (position + 1) - 1) / total);
}

/** `1-of-3`, by which the files of a shard are told apart; null for the whole job. */
export function shardName({ index, count }: Pick<Shard, 'index' | 'count'>): string | null {
  return count === 1 ? null : `${index}-of-${count}`;
}
