// Kernels of unetc run on GPUs without Dawn's checks of accesses and without zeros in workgroup memory. Here every access
// that reaches beyond a buffer or workgroup memory is counted, and workgroup memory begins as NaN: there is none, and no
// result changes. With UNETC_EVERY_KERNEL=1 the golden graphs are run as well.

import fs from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { GENERIC, NVIDIA } from '../../compiler/target.ts';
import { exampleInputs } from '../../engine/model/example-inputs.ts';
import { inspectAdapter, openDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { specOf } from '../../runtime/ports.ts';
import { createProgram } from '../../runtime/program.ts';
import { type Counts, countOn, instrument, instrumentBundle } from '../fixtures/instrumented.ts';
import { emulateMatrices } from '../fixtures/matrix-emulation.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { goldenGraph } from '../golden-cases.ts';

/** Widths and sizes that fill no tile, concats inside quads, attention, both ways of norms. */
const ODD = JSON.stringify({
  ...{ version: 1, name: 'odd', image_size: [6, 10] },
  unet: {
    ...{ in_channels: 3, model_channels: 32, out_channels: 6, num_res_blocks: 1, num_classes: 3 },
    ...{ attention_resolutions: [1, 2], channel_mult: [1, 2], num_heads: 2, use_scale_shift_norm: true },
  },
});

const FEATURES = ['shader-f16', 'subgroups'];
const LIMITS = { maxComputeWorkgroupStorageSize: 32768, maxStorageBuffersPerShaderStage: 9 };
const { features, limits } = await inspectAdapter();
const runs =
  FEATURES.every((name) => features.has(name)) &&
  Object.entries(LIMITS).every(([name, least]) => (limits[name] ?? 0) >= least);

let plain: OpenedDevice;
let counted: OpenedDevice;
let counts: Counts;
beforeAll(async () => {
  if (!runs) return;
  // devices that nobody else is given when they come back
  const requires = { features: FEATURES, limits: LIMITS };
  plain = await openDevice({ requires, timeout: 600 });
  counted = await openDevice({ requires, timeout: 600 });
  counts = countOn(counted);
});
afterAll(async () => {
  await plain?.close();
  counted?.device.destroy();
});

async function check(text: string, options: CompileOptions): Promise<void> {
  const { graph } = loadGraph(text, 'unchecked');
  const compiled = compileGraph(graph, { batch: 2, ...options }).bundle;
  const bundle = options.target === NVIDIA ? emulateMatrices(compiled) : compiled;
  const read = weightsOf(graph, 1);
  const [reference, instrumented] = [
    await createProgram(bundle, read, plain, { layouts: 'host' }),
    await createProgram(instrumentBundle(bundle), read, counted, { layouts: 'host' }),
  ];
  const { dispatches, inputs: ports } = bundle.manifest;
  const inputs = exampleInputs({ inputs: ports.map(specOf) });
  const expected = await reference.run(inputs);
  expect(await instrumented.run(inputs)).toEqual(expected);
  const { threads } = await counts.read();
  expect(threads).toBeGreaterThan(10_000);
  const faults: string[] = [];
  let last = -1;
  for await (const { dispatch } of instrumented.trace(inputs)) {
    if (dispatch === last) continue;
    last = dispatch;
    const { beyond } = await counts.read();
    if (beyond > 0) faults.push(`${beyond} accesses of dispatch ${dispatch}: ${dispatches[dispatch]!.group}`);
  }
  expect(faults).toEqual([]);
  reference.close();
  instrumented.close();
}

test('an index beyond the end is counted, and workgroup memory begins as NaN', () => {
  const text = instrument(
    `// a kernel
enable f16;

@group(0) @binding(0) var<storage, read_write> result: array<vec4f>;
var<workgroup> shared_rows: array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  result[lane] = vec4f(shared_rows[u32(shared_rows[lane])]);
}
`,
  );
  expect(text).toContain(
    'result[reach_result(u32(lane))] = vec4f(shared_rows[reach_shared_rows(u32(u32(shared_rows[reach_shared_rows(u32(lane))])))]);',
  );
  expect(text).toContain(
    'for (var at = lane; at < u32(64); at += 64u) { shared_rows[at] = bitcast<f32>(poison); }',
  );
  expect(text.indexOf('enable f16;')).toBeLessThan(text.indexOf('beyond: array'));
});

const every = process.env.UNETC_EVERY_KERNEL === '1';
const golden = fs.readdirSync('test/golden').filter((name) => /^(tiny|odd|mnist)/.test(name));
// what drivers take minutes to compile is left out of every day's run
const CASES = [
  { name: 'generic f32', daily: true, options: { target: GENERIC } },
  { name: 'generic f16', daily: false, options: { target: GENERIC, precision: 'f16' } },
  { name: 'nvidia f16, matrices emulated', daily: false, options: { target: NVIDIA, precision: 'f16' } },
] as const;
test.runIf(runs).each(CASES.filter(({ daily }) => daily || every))(
  'nothing reaches beyond its memory: $name',
  async ({ options }) => check(ODD, options),
);

test.runIf(runs && every).each(golden)('nothing reaches beyond its memory: %s', async (name) => {
  const text = goldenGraph(name);
  for (const precision of ['f32', 'f16'] as const) await check(text, { target: GENERIC, precision });
});
test.runIf(runs && every)('nothing reaches beyond its memory: gradients of a batch', async () => {
  await check(ODD, { target: GENERIC, gradients: true });
});
