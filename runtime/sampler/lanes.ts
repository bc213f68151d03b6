// Groups of chains walked side by side, a few at a time, their results in the order of the groups.

import type { Chain, Group } from './chain.ts';

/** A group under way. */
export interface Lane {
  /** Where its chains stand. */
  chains: readonly Chain[];
  /** Set where nobody waits for the rest any more: the group ends before its next step. */
  stopped: boolean;
}

export interface Lanes {
  /** Where the chains of all groups under way stand. */
  chains(): readonly Chain[];
  /** Each group's chains as it ends; the next group begins before its result is handed out. */
  finished(): AsyncGenerator<readonly Chain[], void, undefined>;
}

/** @param walk takes a group to its end, and keeps its lane up to date */
export function createLanes(
  count: number,
  groups: readonly Group[],
  walk: (group: Group, position: number, lane: Lane) => Promise<readonly Chain[]>,
): Lanes {
  const running: { readonly lane: Lane; readonly end: Promise<readonly Chain[]> }[] = [];
  let next = 0;
  const begin = (): void => {
    const group = groups[next];
    if (group === undefined) return;
    const lane: Lane = { chains: [], stopped: false };
    const end = walk(group, next++, lane);
    // whoever fails first is heard; the others may fail, too, before they are waited for
    end.catch(() => undefined);
    running.push({ lane, end });
  };
  return {
    chains: () => running.flatMap(({ lane }) => lane.chains),
    async *finished() {
      try {
        for (let i = 0; i < count; i++) begin();
        for (let first = running[0]; first !== undefined; first = running[0]) {
          const chains = await Promise.race([first.end, ...running.map(({ end }) => failure(end))]);
          running.shift();
          begin();
          yield chains;
        }
      } finally {
        for (const { lane } of running) lane.stopped = true;
        await Promise.allSettled(running.map(({ end }) => end));
      }
    },
  };
}

/** Rejects as `work` does, and else never ends. */
function failure(work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    work.catch(reject);
  });
}
