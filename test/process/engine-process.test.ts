// Speaking with the process of an engine: a script that is given as the Python of torch stands in for one.

import { expect, test } from 'vitest';
import { EngineAbsent } from '../../cli/bench/engine.ts';
import { startEngine } from '../../cli/bench/engine-process.ts';
import { type EngineJob, parseReply } from '../../cli/bench/protocol.ts';

const python = new URL('../fixtures/bench-engine.mjs', import.meta.url).pathname;
const never = new AbortController().signal;

const job = (model: string): EngineJob => ({
  ...{ engine: 'torch', model, settings: {}, weights: '', onnx: null, unet: {} },
  ...{ inputs: '', output: '', training: null, threads: 1 },
});

test('an engine that works: its start is timed, it runs, writes and ends', async () => {
  const engine = await startEngine(job('works'), { python, signal: never, env: { BENCH_TEST: 'told' } });
  expect(engine.ready).toEqual({ reply: 'ready', version: 'v1', device: 'told' });
  expect(engine.cold_start_ms).toBeGreaterThan(5);
  expect(await engine.run()).toBe(12.5);
  await engine.write();
  expect(await engine.end()).toEqual({ rss_peak_bytes: 4096 });
});

test.each([
  ['absent', 'no torch here', 'EngineAbsent'],
  ['refuses', 'torch: no adapter', 'RuntimeError'],
  ['breaks', 'torch: KeyError: x', 'Error'],
  ['dies', 'torch: its process ended with exit code 3\nout of luck', 'RuntimeError'],
])('an engine that is %s', async (model, message, name) => {
  await expect(startEngine(job(model), { python, signal: never })).rejects.toMatchObject({ name, message });
});

test('a Python that is not there makes the engine absent', async () => {
  const starting = startEngine(job('works'), { python: '/no/such/python', signal: never });
  await expect(starting).rejects.toThrow(EngineAbsent);
  await expect(starting).rejects.toThrow('there is no /no/such/python');
});

test('an engine that is killed while it runs fails the run', async () => {
  const engine = await startEngine(job('sleeps'), { python, signal: never });
  const running = engine.run();
  engine.kill();
  await expect(running).rejects.toThrow('its process ended by SIGKILL');
  await expect(engine.run()).rejects.toThrow('its process ended by SIGKILL');
});

test('an abort ends the process and is what is thrown', async () => {
  const controller = new AbortController();
  const engine = await startEngine(job('sleeps'), { python, signal: controller.signal });
  const running = engine.run();
  controller.abort(new Error('interrupted'));
  await expect(running).rejects.toThrow('interrupted');
});

test('replies are lines of their own form', () => {
  expect(parseReply('{"reply":"ran","ms":1}')).toEqual({ reply: 'ran', ms: 1 });
  expect(parseReply('Warning: {"reply"')).toBeNull();
  expect(parseReply('{"reply":"ran",')).toBeNull();
});
