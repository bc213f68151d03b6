// How much of the files of a model is there: of each, and of all that are known of so far.

/** How far a download is. */
export interface DownloadProgress {
  readonly stage: 'download';
  /** The address of the file that moved. */
  readonly file: string;
  readonly of: 'bundle' | 'weights';
  /** Whether it came from its server, or was kept from another visit. */
  readonly from: 'server' | 'cache';
  readonly received: number;
  /** Bytes of the file; null where its server does not say. */
  readonly total: number | null;
  /** The same of all files, with an estimate for shards that have not begun. */
  readonly all: { readonly received: number; readonly total: number | null };
}

export interface Tally {
  /** Says that a file will come, of about so many bytes. */
  expect(file: string, of: 'bundle' | 'weights', estimate: number): void;
  /** Says how far a file is. */
  move(
    file: string,
    of: 'bundle' | 'weights',
    state: Pick<DownloadProgress, 'from' | 'received' | 'total'>,
  ): void;
}

interface Entry {
  readonly of: 'bundle' | 'weights';
  readonly received: number;
  readonly total: number | null;
  readonly estimate: number | null;
}

export function createTally(onProgress: (progress: DownloadProgress) => void): Tally {
  const entries = new Map<string, Entry>();
  return {
    expect(file, of, estimate) {
      entries.set(file, { of, received: 0, total: null, estimate });
    },
    move(file, of, { from, received, total }) {
      const estimate = entries.get(file)?.estimate ?? null;
      entries.set(file, { of, received, total, estimate });
      const all = [...entries.values()];
      const sizes = all.map(sizeOf);
      onProgress({
        ...{ stage: 'download', file, of, from, received, total },
        all: {
          received: all.reduce((sum, one) => sum + one.received, 0),
          total: sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + size!, 0),
        },
      });
    },
  };
}

/** What a file is likely to have; null for weights of which nobody says. A bundle's files are small beside them. */
function sizeOf({ of, received, total, estimate }: Entry): number | null {
  if (total !== null) return total;
  if (estimate !== null) return Math.max(received, estimate);
  return of === 'bundle' ? received : null;
}
