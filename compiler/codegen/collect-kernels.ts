// The kernels of a bundle: many calls run few texts, and each text is linked once.

import { createHash } from 'node:crypto';
import { type KernelCall, kernelText } from './kernel-call.ts';

export interface Kernels {
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  readonly texts: ReadonlyMap<string, string>;
  indexOf(call: KernelCall): number;
}

/** Distinct kernels in order of first use, named by their source and the beginning of their hash. */
export function collectKernels(calls: readonly KernelCall[]): Kernels {
  const files: { file: string; sha256: string }[] = [];
  const texts = new Map<string, string>();
  const byText = new Map<string, number>();
  const byFilling = new Map<string, number>();
  const byCall = new Map<KernelCall, number>();
  const place = (call: KernelCall): number => {
    const text = kernelText(call);
    const known = byText.get(text);
    if (known !== undefined) return known;
    const sha = sha256(text);
    const file = `${call.file}-${sha.slice(0, 8)}.wgsl`;
    texts.set(file, text);
    byText.set(text, files.length);
    return files.push({ file, sha256: sha }) - 1;
  };
  for (const call of calls) {
    // of a long body this has the name
    const key = JSON.stringify([call.file, call.filling]);
    const index = byFilling.get(key) ?? place(call);
    byFilling.set(key, index);
    byCall.set(call, index);
  }
  return { files, texts, indexOf: (call) => byCall.get(call)! };
}

/** SHA-256 of a text, in hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
