// Lets one call of the GPU fail: the methods of WebGPU's interfaces are counted, and the k-th call rejects, runs out of
// memory, follows on an error, or loses the device. Nothing in the project knows of it.

import { globals } from 'webgpu';

/**
 * How a call fails: its promise rejects; memory runs out, which an error scope tells; before it something invalid is done,
 * which the scope or the device tells; the device is lost under it.
 */
export type GpuFault = 'refused' | 'out of memory' | 'invalid' | 'lost';

export interface GpuFaults {
  /**
   * Counts calls from now on, those whose interface and method are `counted`; with a fault, the call of this number (from 1), or
   * the next that can, fails so.
   */
  begin(counted: RegExp, at?: number, fault?: GpuFault): void;
  /** The calls since `begin`, by interface and method. */
  end(): readonly string[];
}

/** What the project calls. */
const METHODS: readonly (readonly [face: string, method: string])[] = [
  ['GPU', 'requestAdapter'],
  ['GPUAdapter', 'requestDevice'],
  ['GPUDevice', 'createBuffer'],
  ['GPUDevice', 'createTexture'],
  ['GPUDevice', 'createBindGroup'],
  ['GPUDevice', 'createShaderModule'],
  ['GPUDevice', 'createComputePipelineAsync'],
  ['GPUDevice', 'createCommandEncoder'],
  ['GPUDevice', 'createQuerySet'],
  ['GPUDevice', 'popErrorScope'],
  ['GPUQueue', 'submit'],
  ['GPUQueue', 'writeBuffer'],
  ['GPUQueue', 'onSubmittedWorkDone'],
  ['GPUBuffer', 'mapAsync'],
  ['GPUBuffer', 'getMappedRange'],
  ['GPUCommandEncoder', 'beginComputePass'],
  ['GPUCommandEncoder', 'finish'],
];

/** The faults that a call can have. Methods that give no promise never throw: WebGPU tells of them beside the call. */
export function faultsOfCall(call: string): readonly GpuFault[] {
  switch (call) {
    case 'GPU.requestAdapter':
    case 'GPUAdapter.requestDevice':
      return ['refused'];
    case 'GPUDevice.popErrorScope':
      return ['out of memory'];
    case 'GPUDevice.createComputePipelineAsync':
    case 'GPUBuffer.mapAsync':
      return ['refused', 'lost'];
    case 'GPUDevice.createBuffer':
    case 'GPUQueue.submit':
      return ['invalid', 'lost'];
    default:
      return ['lost'];
  }
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Makes a buffer that no device can make. */
function doInvalid(device: GPUDevice | null): void {
  if (device === null) return;
  const made: GPUBuffer = device.createBuffer({ size: 4, usage: 0 });
  made.destroy();
}

/** Puts itself between the project and Dawn, once a process. */
export function watchGpu(): GpuFaults {
  const faces = globals as unknown as Record<
    string,
    { readonly prototype: Record<string, AnyFunction> } | undefined
  >;
  let calls: string[] | null = null;
  let methods = /^/;
  let [at, fault]: [number, GpuFault | null] = [0, null];
  let failed = false;
  let device: GPUDevice | null = null;
  for (const [face, method] of METHODS) {
    const prototype = faces[face]?.prototype;
    const original = prototype?.[method];
    if (prototype === undefined || original === undefined) throw new Error(`webgpu has no ${face}.${method}`);
    prototype[method] = function (this: unknown, ...args: unknown[]): unknown {
      if (calls === null) return original.apply(this, args);
      const call = `${face}.${method}`;
      // a device that an earlier run gave back is requested by nobody
      if (face === 'GPUDevice') device = this as GPUDevice;
      const counts = methods.test(call);
      if (counts) calls.push(call);
      // what runs side by side calls in another order the next time: the first call from here on that can fail so
      const due =
        counts && fault !== null && !failed && calls.length >= at && faultsOfCall(call).includes(fault);
      failed ||= due;
      if (due && fault === 'lost') device?.destroy();
      if (due && fault === 'invalid') doInvalid(device);
      if (due && fault === 'refused') {
        return Promise.reject(new DOMException(`injected fault of ${method}`, 'OperationError'));
      }
      const result = original.apply(this, args);
      if (method === 'requestDevice') {
        const keep = (made: GPUDevice): void => {
          device = made;
        };
        void (result as Promise<GPUDevice>).then(keep, () => undefined);
      }
      if (!due || fault !== 'out of memory') return result;
      return (result as Promise<GPUError | null>).then(() => ({ message: 'injected: out of memory' }));
    };
  }
  return {
    begin(counted, number = 0, how) {
      [calls, methods, at, fault, failed] = [[], counted, number, how ?? null, false];
    },
    end() {
      const found = calls ?? [];
      [calls, at, fault, device] = [null, 0, null, null];
      return found;
    },
  };
}
