// Writes a checkpoint as safetensors: float32, in the checkpoint's order.

import { fault } from '../../runtime/bytes.ts';
import { writeLargeFile } from '../../runtime/host/node/files.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { elements } from '../../runtime/tensor.ts';
import { METADATA, safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { UsageError } from '../errors.ts';
import type { Host } from '../host.ts';

/** What was converted, and how much of it. */
export interface Conversion {
  readonly input: string;
  readonly output: string;
  readonly tensors: number;
  readonly params: number;
}

/** Rejects with UsageError for words that are off, and RuntimeError for files that are. */
export async function convertCheckpoint(
  input: string,
  output: string,
  host: Pick<Host, 'note' | 'signal'>,
): Promise<Conversion> {
  if (!output.endsWith('.safetensors')) {
    throw new UsageError(`${output}: the output is a safetensors file; let its name end in .safetensors`);
  }
  const source = openWeights(input);
  try {
    const { tensors } = source;
    if (tensors === null)
      throw new UsageError(`${input}: a formula has no tensors of its own; name a checkpoint file`);
    for (const note of source.notes ?? []) host.note(`${input}: ${note}`);
    if (tensors.some(({ name }) => name === METADATA)) {
      throw fault(
        { kind: 'weights', label: input },
        `a tensor is called ${METADATA}, a name that safetensors keeps for itself; rename it in the checkpoint`,
      );
    }
    const toWrite = tensors.map(({ name, shape }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      data: () => source.read(name, shape),
    }));
    await writeLargeFile(output, safetensorsChunks(toWrite, { format: 'pt' }), host.signal);
    return {
      input,
      output,
      tensors: tensors.length,
      params: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
    };
  } finally {
    source.close();
  }
}
