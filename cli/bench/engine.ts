// An engine inside its own process: opened once, then one forward pass, or step of training, after the other with the same
// inputs.

import type { Tensor } from '../../runtime/tensor.ts';
import type { ProgramFacts } from './protocol.ts';

export interface Engine {
  readonly version: string;
  readonly device: string;
  readonly program?: ProgramFacts;
  /** One forward pass from inputs to output in the memory of the process, or one step of training to each sample's squared error. */
  run(): Promise<Tensor>;
  close(): Promise<void>;
}

/** The engine, or a part of it, is not on this system. */
export class EngineAbsent extends Error {
  override readonly name = 'EngineAbsent';
}
