// The target for the adapter that is here, which is asked only where it has to be.

import type { Target } from '../../compiler/target.ts';
import { inspectAdapter } from '../../runtime/host/node/dawn.ts';
import { AUTO, targetFor } from './target-choice.ts';

/** As `targetFor`, on the adapter that is here, which is asked only where the name leaves the choice to it. */
export async function targetHere(name: string | undefined): Promise<Target> {
  return targetFor(name, name === undefined || name === AUTO ? await inspectAdapter() : undefined);
}
