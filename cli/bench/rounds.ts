// Measures engines side by side: A B C, A B C, ..., so that whatever slows the machine down slows all of them down.

export interface RoundOptions {
  readonly warmup: number;
  readonly runs: number;
  /** An engine that has run for this long sits out what is left, once it has enough runs. */
  readonly budgetMs: number;
  /** Before each pass: threads of the engine that ran before may spin for a while when they have nothing to do. */
  readonly restMs: number;
  /** Before each pass; throws to stop. */
  check(): void;
  /** After each round. */
  done(round: number): void;
}

/** So many runs at least, whatever they cost. */
const FEWEST_RUNS = 3;
const FEWEST_WARMUPS = 1;

/** The milliseconds of each engine's measured passes; null where it failed, which `failed` is told. */
export async function runRounds(
  engines: readonly { run(): Promise<number> }[],
  { warmup, runs, budgetMs, restMs, check, done }: RoundOptions,
  failed: (engine: number, error: unknown) => void,
): Promise<readonly (readonly number[] | null)[]> {
  const states = engines.map(() => ({ times: [] as number[], spent: 0, warm: 0, alive: true }));
  for (let round = 0; round < warmup + runs; round++) {
    for (const [i, engine] of engines.entries()) {
      const state = states[i]!;
      const warming = round < warmup;
      const enough = warming ? state.warm >= FEWEST_WARMUPS : state.times.length >= FEWEST_RUNS;
      const part = warming ? budgetMs / 4 : budgetMs;
      if (!state.alive || (enough && state.spent > part)) continue;
      await new Promise((resolve) => setTimeout(resolve, restMs));
      check();
      try {
        const ms = await engine.run();
        state.spent += ms;
        if (warming) state.warm++;
        else state.times.push(ms);
      } catch (error) {
        check();
        state.alive = false;
        failed(i, error);
      }
    }
    done(round + 1);
  }
  return states.map(({ alive, times }) => (alive ? times : null));
}
