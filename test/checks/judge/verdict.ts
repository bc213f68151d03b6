// What a WebGPU says of kernels: each text made a module, and where that is asked for a pipeline. Run by any host that has
// `navigator.gpu`; plain WebGPU.

import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import type { JudgedKernel } from './kernels.ts';

export interface Refusal {
  readonly file: string;
  readonly bundle: string;
  /** Of the kernel's text, counted from 1; 0 where the implementation names none. */
  readonly line: number;
  /** What the implementation says, with the piece of the text that it shows. */
  readonly message: string;
}

/** Asks the device about kernels, one after the other; gives those that it refuses. */
export async function refusals(
  kernels: Iterable<JudgedKernel>,
  { device }: OpenedDevice,
  pipelines: boolean,
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = [];
  for (const { file, bundle, text } of kernels) {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label: file, code: text });
    const fault = await device.popErrorScope();
    const { messages } = await module.getCompilationInfo();
    const said = messages.find(({ type }) => type === 'error');
    if (fault !== null || said !== undefined) {
      const message = (said?.message ?? fault!.message).trim();
      refused.push({ file, bundle, line: said?.lineNum ?? 0, message });
    } else if (pipelines) {
      device.pushErrorScope('validation');
      device.createComputePipeline({ label: file, layout: 'auto', compute: { module } });
      const unfit = await device.popErrorScope();
      if (unfit !== null) refused.push({ file, bundle, line: 0, message: unfit.message.trim() });
    }
  }
  return refused;
}

/** A refusal as a reader of a failed test sees it. */
export function told({ file, bundle, line, message }: Refusal): string {
  return `${file}${line > 0 ? `, line ${line}` : ''} (of ${bundle}):\n${message}`;
}
