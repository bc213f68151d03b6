// What can fail, as the sweep takes it: the file system, and the GPU.

import { type FileFault, faultsOfCall, isRemoval, watchFileSystem } from './file-system.ts';
import { faultsOfCall as faultsOfGpuCall, type GpuFault, watchGpu } from './gpu.ts';
import type { Injector } from './sweep.ts';

/** Files that cannot be read are a fault of what they hold; those that cannot be written of the output. */
export function fileInjector(): Injector {
  const faults = watchFileSystem();
  return {
    async watch(action, { at, fault, counted = /^/ } = {}) {
      faults.begin(counted, at, fault as FileFault | undefined);
      let calls: ReturnType<typeof faults.end>;
      try {
        await action();
      } finally {
        calls = faults.end();
      }
      return calls.map(({ name, path }) => `${name} ${path}`.trim());
    },
    faultsOf: (call) => faultsOfCall(nameOf(call)),
    leaves: (call) => isRemoval(nameOf(call)),
    counted: true,
    exits: [3, 4, 5, 6, 9],
  };
}

const nameOf = (call: string): string => call.split(' ')[0] ?? '';

export function gpuInjector(): Injector {
  const faults = watchGpu();
  return {
    async watch(action, { at, fault, counted = /^/ } = {}) {
      faults.begin(counted, at, fault as GpuFault | undefined);
      let calls: readonly string[];
      try {
        await action();
      } finally {
        calls = faults.end();
      }
      return calls;
    },
    faultsOf: faultsOfGpuCall,
    leaves: () => false,
    counted: false,
    exits: [7, 8],
  };
}
