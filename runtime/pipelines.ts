// Compute pipelines by the text of their kernel: programs that share a device share what was compiled for it.

import { createLayoutCache, type LayoutCache } from './bind-layouts.ts';
import { RuntimeError } from './errors.ts';

/**
 * The pipelines of one device. Kernel texts do not depend on batch or image size, so that programs of one graph in
 * several sizes, and of graphs of one family, have most of them in common.
 */
export interface PipelineCache {
  /** The pipeline of a kernel, compiled off the main thread at its first use. Rejects with RuntimeError('gpu'). */
  get(file: string, wgsl: string): Promise<GPUComputePipeline>;
}

/** Pipelines that are kept: of some ten graphs that are unlike each other. */
const MOST = 512;

/** An empty cache, which keeps what was asked for last; it lives as long as its device. */
export function createPipelineCache(device: GPUDevice): PipelineCache {
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const layouts = createLayoutCache(device);
  return {
    get(file, wgsl) {
      const compiling = pipelines.get(wgsl) ?? compile(device, layouts, file, wgsl);
      // the order of a map is that of setting, so the oldest stands first
      pipelines.delete(wgsl);
      pipelines.set(wgsl, compiling);
      const [oldest] = pipelines.keys();
      if (pipelines.size > MOST) pipelines.delete(oldest!);
      return compiling;
    },
  };
}

async function compile(
  device: GPUDevice,
  layouts: LayoutCache,
  file: string,
  wgsl: string,
): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ label: file, code: wgsl });
  try {
    return await device.createComputePipelineAsync({
      label: file,
      layout: layouts.of(wgsl)?.pipeline ?? 'auto',
      compute: { module },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw new RuntimeError('gpu', `compiling kernels/${file}: ${reason}`);
  }
}
