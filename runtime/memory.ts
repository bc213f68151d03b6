// The memory of a program on a device: arenas of weights, slots of activations, sizes of dispatches.

import type { Copy, Manifest } from './bundle.ts';

/** Offsets of uniform bindings are multiples of this. */
const UNIFORM_ALIGNMENT = 256;

export interface Memory {
  /** What dispatches bind for each slot and for each entry of the manifest's weights. */
  readonly slots: readonly GPUBindingResource[];
  readonly weights: readonly GPUBindingResource[];
  /** What each dispatch binds for its sizes; equal sizes stand once. */
  readonly sizes: readonly GPUBufferBinding[];
  /** The buffer of a slot that the host writes or reads; the manifest's check keeps these out of textures. */
  buffer(slot: number): GPUBuffer;
  /** Bytes of a slot with all its rows, where it is a texture. */
  bytes(slot: number): number;
  /** Copies a whole slot to the beginning of a buffer. */
  copyOut(slot: number, encoder: GPUCommandEncoder, to: GPUBuffer): void;
  /** Copies vectors of a slot into a texture. */
  copyIn(encoder: GPUCommandEncoder, copy: Copy): void;
  /** Fills a whole slot with zeros. */
  clear(slot: number, encoder: GPUCommandEncoder): void;
  /** Floats that an entry's packed weights take, with the rest of the last row of a texture. */
  floats(entry: number): number;
  /**
   * Copies a stretch of the packed weights of one entry, `length` floats at `offset` bytes in `staging`, to `first` floats
   * from their beginning. In textures both, and `offset`, are whole texels.
   */
  copyWeights(
    encoder: GPUCommandEncoder,
    staging: GPUBuffer,
    offset: number,
    entry: number,
    first: number,
    length: number,
  ): void;
  destroy(): void;
}

/** Makes every buffer and texture of a bundle. WebGPU reports what does not fit to the error scope around the call. */
export function allocate(manifest: Manifest, device: GPUDevice): Memory {
  const { STORAGE, COPY_DST, COPY_SRC, UNIFORM } = GPUBufferUsage;
  const made: { destroy(): void }[] = [];
  const buffer = (label: string, size: number, usage: number) => {
    const created = device.createBuffer({ label, size, usage });
    made.push(created);
    return created;
  };
  const width = manifest.texture_width;
  const texture = (label: string, bytes: number) => {
    const created = device.createTexture({
      label,
      size: [width, rowsOf(bytes, width)],
      format: 'rgba32float',
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.COPY_SRC,
    });
    made.push(created);
    return created;
  };
  const { places, words } = placeSizes(manifest);
  const allSizes = buffer('sizes', words.byteLength, UNIFORM | COPY_DST);
  device.queue.writeBuffer(allSizes, 0, words);
  const arenas = manifest.arenas.map((bytes, i) => buffer(`weights ${i}`, bytes, STORAGE | COPY_DST));
  const products = manifest.weights.map(({ arena, length }, i) =>
    arena === null ? texture(`product ${i}`, length * 4) : null,
  );
  const buffers = new Map<number, GPUBuffer>();
  const textures = new Map<number, GPUTexture>();
  const slots = manifest.slots.map(({ bytes, storage }, i) => {
    if (storage === 'texture') {
      const created = texture(`slot ${i}`, bytes);
      textures.set(i, created);
      return created.createView();
    }
    const created = buffer(`slot ${i}`, bytes, STORAGE | COPY_DST | COPY_SRC);
    buffers.set(i, created);
    return { buffer: created };
  });
  return {
    slots,
    sizes: places.map(({ offset, size }) => ({ buffer: allSizes, offset, size })),
    weights: manifest.weights.map(({ arena, offset, length }, i) =>
      arena === null ? products[i]!.createView() : { buffer: arenas[arena]!, offset, size: length * 4 },
    ),
    buffer: (slot) => buffers.get(slot)!,
    bytes: (slot) => buffers.get(slot)?.size ?? textures.get(slot)!.height * width * 16,
    copyOut(slot, encoder, to) {
      const [buffer, texture] = [buffers.get(slot), textures.get(slot)];
      if (buffer) encoder.copyBufferToBuffer(buffer, 0, to, 0, buffer.size);
      if (texture) {
        encoder.copyTextureToBuffer({ texture }, { buffer: to, bytesPerRow: width * 16 }, [
          width,
          texture.height,
        ]);
      }
    },
    copyIn(encoder, { from, to, first, count }) {
      const texture = to.kind === 'slot' ? textures.get(to.slot)! : products[to.weights]!;
      for (const { texel, size } of rectangles(first, count, width)) {
        const source = { buffer: buffers.get(from)!, offset: texel * 16, bytesPerRow: width * 16 };
        encoder.copyBufferToTexture(source, { texture, origin: placeOf(texel, width) }, size);
      }
    },
    clear(slot, encoder) {
      const [buffer, texture] = [buffers.get(slot), textures.get(slot)];
      if (buffer) encoder.clearBuffer(buffer);
      if (texture) {
        const zeros = device.createBuffer({
          size: texture.height * width * 16,
          usage: GPUBufferUsage.COPY_SRC,
        });
        encoder.copyBufferToTexture({ buffer: zeros, bytesPerRow: width * 16 }, { texture }, [
          width,
          texture.height,
        ]);
      }
    },
    floats(entry) {
      const { arena, length } = manifest.weights[entry]!;
      return arena === null ? rowsOf(length * 4, width) * width * 4 : length;
    },
    copyWeights(encoder, staging, from, entry, first, length) {
      const { arena, offset } = manifest.weights[entry]!;
      if (arena !== null) {
        encoder.copyBufferToBuffer(staging, from, arenas[arena]!, offset + first * 4, length * 4);
        return;
      }
      const texture = products[entry]!;
      for (const { texel, size } of rectangles(first / 4, length / 4, width)) {
        const source = { buffer: staging, offset: from + texel * 16 - first * 4, bytesPerRow: width * 16 };
        encoder.copyBufferToTexture(source, { texture, origin: placeOf(texel, width) }, size);
      }
    },
    destroy: () => {
      for (const one of made) one.destroy();
    },
  };
}

interface PlacedSizes {
  /** Of each dispatch, in bytes. */
  readonly places: readonly { readonly offset: number; readonly size: number }[];
  readonly words: Uint32Array<ArrayBuffer>;
}

/** The sizes of dispatches one behind the other, where uniform bindings may begin. */
function placeSizes({ dispatches }: Manifest): PlacedSizes {
  const offsets = new Map<string, number>();
  const words: number[] = [];
  const places = dispatches.map(({ sizes }) => {
    const key = sizes.join();
    const offset = offsets.get(key) ?? words.length * 4;
    if (!offsets.has(key)) {
      offsets.set(key, offset);
      const end = Math.ceil((offset + sizes.length * 4) / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
      words.push(...sizes, ...Array<number>(end / 4 - offset / 4 - sizes.length).fill(0));
    }
    return { offset, size: sizes.length * 4 };
  });
  return { places, words: Uint32Array.from(words) };
}

function rowsOf(bytes: number, width: number): number {
  return Math.ceil(bytes / 16 / width);
}

/** Column and row of a texel. */
function placeOf(texel: number, width: number): [number, number] {
  return [texel % width, Math.floor(texel / width)];
}

interface Rectangle {
  /** The first one, counted from the beginning of the texture. */
  readonly texel: number;
  readonly size: readonly [number, number];
}

/** `count` texels from `first` on as rectangles of a texture: the rest of a row, whole rows, the beginning of another. */
function rectangles(first: number, count: number, width: number): readonly Rectangle[] {
  const head = Math.min(count, (width - (first % width)) % width);
  const rows = Math.floor((count - head) / width);
  const tail = count - head - rows * width;
  const whole = first + head;
  const all: Rectangle[] = [
    { texel: first, size: [head, 1] },
    { texel: whole, size: [width, rows] },
    { texel: whole + rows * width, size: [tail, 1] },
  ];
  return all.filter(({ size }) => size[0] * size[1] > 0);
}
