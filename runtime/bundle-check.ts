// What a schema cannot see in a manifest: indices that point somewhere, extents that fit, and bindings of a dispatch that
// WebGPU allows beside each other.

import { checkBindings } from './binding-check.ts';
import type { Manifest, WeightPart } from './bundle.ts';
import { checkPorts, type Fault, OFFSET_ALIGNMENT } from './port-check.ts';
import { elements } from './tensor.ts';
import { extentOf } from './weights/extent.ts';

const MAX_WORKGROUPS = 65535;
const KERNEL_FILE = /^[a-z0-9_.-]+\.wgsl$/;

/** Every fault of a manifest, each with its JSON pointer; none for a sound one. */
export function checkManifest(manifest: Manifest): readonly string[] {
  const faults: string[] = [];
  const fault: Fault = (pointer, message) => faults.push(`manifest.json:${pointer}: ${message}`);
  const demand = (condition: boolean, pointer: string, message: string) => {
    if (!condition) fault(pointer, message);
  };
  checkPorts(manifest, fault);
  const { passes } = manifest;
  const forward = passes[0]?.dispatches ?? 0;
  const inPasses = passes.reduce((sum, pass) => sum + pass.dispatches, 0);
  demand(
    inPasses === manifest.dispatches.length,
    '/passes',
    `have ${inPasses} of ${manifest.dispatches.length} dispatches`,
  );
  demand(new Set(passes.map(({ name }) => name)).size === passes.length, '/passes', 'two passes of one name');
  demand(
    manifest.time_path.dispatches <= forward,
    '/time_path/dispatches',
    `${manifest.time_path.dispatches} of the ${forward} dispatches of the first pass`,
  );

  const parameters = new Map(manifest.parameters.map((p) => [p.name, p.shape]));
  demand(parameters.size === manifest.parameters.length, '/parameters', 'two parameters of one name');
  manifest.weights.forEach(({ arena, offset, length, filled, parts }, i) => {
    const pointer = `/weights/${i}`;
    demand(
      (filled === 'host') === parts.length > 0,
      `${pointer}/filled`,
      `filled by the ${filled} with ${parts.length} parts; those of the host have parts, those of a dispatch none`,
    );
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

  const used = new Set(manifest.dispatches.map(({ kernel }) => kernel));
  manifest.kernels.forEach(({ file }, i) => {
    demand(
      KERNEL_FILE.test(file),
      `/kernels/${i}/file`,
      `${JSON.stringify(file)} is no plain .wgsl file name`,
    );
    demand(used.has(i), `/kernels/${i}`, 'no dispatch uses it');
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
  });
  checkBindings(manifest, fault);
  return faults;
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
