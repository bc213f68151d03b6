// What zod cannot see in a manifest: indices that point somewhere, extents that fit, one access for a slot in a
// dispatch.

import type { Manifest, WeightPart } from './bundle.ts';
import { elements } from './tensor.ts';
import { extentOf } from './weights/extent.ts';

const OFFSET_ALIGNMENT = 256;
const MAX_WORKGROUPS = 65535;
const KERNEL_FILE = /^[a-z0-9_.-]+\.wgsl$/;

/** Every fault of a manifest, each with its JSON pointer; none for a sound one. */
export function checkManifest(manifest: Manifest): readonly string[] {
  const faults: string[] = [];
  const demand = (condition: boolean, pointer: string, message: string) => {
    if (!condition) faults.push(`manifest.json:${pointer}: ${message}`);
  };
  const slotBytes = (slot: number, pointer: string) => {
    demand(
      slot < manifest.slots.length,
      pointer,
      `slot ${slot} does not exist, there are ${manifest.slots.length}`,
    );
    return manifest.slots[slot]?.bytes ?? 0;
  };
  const holds = (slot: number, bytes: number, pointer: string) => {
    const size = slotBytes(slot, pointer);
    demand(bytes <= size, pointer, `needs ${bytes} bytes, slot ${slot} has ${size}`);
    demand(
      manifest.slots[slot]?.storage !== 'texture',
      pointer,
      `slot ${slot} is a texture, the interface is in buffers`,
    );
  };
  const { batch, inputs } = manifest;

  holds(inputs.x.slot, storedBytes(inputs.x.shape), '/inputs/x');
  holds(inputs.timesteps.slot, storedBytes([batch, inputs.timesteps.dim]), '/inputs/timesteps');
  if (inputs.y) holds(inputs.y.slot, 4 * batch, '/inputs/y');
  if (inputs.low_res) holds(inputs.low_res.slot, storedBytes(inputs.low_res.shape), '/inputs/low_res');
  for (const tensor of [inputs.x, ...(inputs.low_res ? [inputs.low_res] : []), ...manifest.outputs]) {
    demand(
      tensor.shape[0] === batch,
      '/batch',
      `a tensor of the interface has batch ${tensor.shape[0]}, expected ${batch}`,
    );
  }
  const names = new Set<string>();
  manifest.outputs.forEach(({ name, dtype, shape, slot }, i) => {
    holds(slot, storedBytes(shape, dtype), `/outputs/${i}`);
    demand(!names.has(name), `/outputs/${i}/name`, `a second output called ${name}`);
    names.add(name);
  });
  demand(names.has('output'), '/outputs', 'no output called "output"');

  demand(
    manifest.time_path.dispatches <= manifest.dispatches.length,
    '/time_path/dispatches',
    `${manifest.time_path.dispatches} of ${manifest.dispatches.length} dispatches`,
  );
  manifest.time_path.values.forEach(({ slot, bytes }, i) => {
    const pointer = `/time_path/values/${i}`;
    holds(slot, bytes, pointer);
    demand(bytes % (4 * batch) === 0, pointer, `${bytes} bytes are no rows for ${batch} images`);
  });

  const parameters = new Map(manifest.parameters.map((p) => [p.name, p.shape]));
  demand(parameters.size === manifest.parameters.length, '/parameters', 'two parameters of one name');
  manifest.weights.forEach(({ arena, offset, length, parts }, i) => {
    const pointer = `/weights/${i}`;
    if (arena !== null) {
      const size = manifest.arenas[arena];
      demand(size !== undefined, `${pointer}/arena`, `arena ${arena} does not exist`);
      demand(
        offset % OFFSET_ALIGNMENT === 0,
        `${pointer}/offset`,
        `${offset} is no multiple of ${OFFSET_ALIGNMENT}`,
      );
      demand(
        offset + 4 * length <= (size ?? 0),
        pointer,
        `ends at byte ${offset + 4 * length} of an arena of ${size ?? 0}`,
      );
    }
    parts.forEach((part, k) => {
      const at = `${pointer}/parts/${k}`;
      const shape = parameters.get(part.param);
      demand(shape !== undefined, `${at}/param`, `no parameter is called ${part.param}`);
      const expected = elementsOf(part);
      demand(
        shape === undefined || elements(shape) === expected,
        at,
        `${part.param} has ${elements(shape ?? [])} elements, the part places ${expected}`,
      );
      const { end } = extentOf(part);
      demand(end <= length, at, `ends at word ${end} of ${length}`);
    });
  });

  manifest.kernels.forEach(({ file }, i) => {
    demand(
      KERNEL_FILE.test(file),
      `/kernels/${i}/file`,
      `${JSON.stringify(file)} is no plain .wgsl file name`,
    );
  });
  manifest.dispatches.forEach((dispatch, i) => {
    const pointer = `/dispatches/${i}`;
    demand(
      dispatch.kernel < manifest.kernels.length,
      `${pointer}/kernel`,
      `kernel ${dispatch.kernel} does not exist`,
    );
    demand(
      dispatch.workgroups.every((n) => n <= MAX_WORKGROUPS),
      `${pointer}/workgroups`,
      `more than ${MAX_WORKGROUPS} in a dimension`,
    );
    demand(
      dispatch.sizes.length % 4 === 0 && dispatch.sizes.length > 0,
      `${pointer}/sizes`,
      'not whole vectors of four',
    );
    const written = new Set<number>();
    const read = new Set<number>();
    dispatch.bindings.forEach((binding, k) => {
      const at = `${pointer}/bindings/${k}`;
      if (binding.kind === 'weights') {
        demand(binding.weights < manifest.weights.length, at, `weights ${binding.weights} do not exist`);
        return;
      }
      slotBytes(binding.slot, at);
      (binding.access === 'read' ? read : written).add(binding.slot);
    });
    for (const slot of written) demand(!read.has(slot), pointer, `slot ${slot} is both read and written`);
  });
  return faults;
}

/** Bytes of a tensor [batch, channels, ...space] in channels-last storage. */
export function storedBytes(shape: readonly number[], dtype: 'f32' | 'f16' = 'f32'): number {
  const [batch = 1, channels = 1, ...space] = shape;
  return batch * elements(space) * Math.ceil(channels / 4) * (dtype === 'f16' ? 8 : 16);
}

function elementsOf(part: WeightPart): number {
  switch (part.kind) {
    case 'product':
      return part.outputs * part.inputs * part.taps;
    case 'winograd':
      return part.outputs * part.inputs * 9;
    case 'linear':
      return part.outputs * part.inputs;
    case 'vector':
      return part.length;
  }
}
