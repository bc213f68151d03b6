// The process of an engine: opens it, runs the first pass, then runs one pass for every line that asks for it.

import { createInterface } from 'node:readline';
import { writeFile } from '../../runtime/host/node/files.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { optimiseLater } from '../v8.ts';
import { type Engine, EngineAbsent } from './engine.ts';
import { peakMemory } from './peak-memory.ts';
import type { EngineJob, Reply } from './protocol.ts';

function say(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

/** Only what the engine needs is loaded: it counts to its start and its memory. */
async function open(job: EngineJob): Promise<Engine> {
  switch (job.engine) {
    case 'unetc':
      optimiseLater();
      if (job.training !== null) return (await import('./unetc-training.ts')).openTraining(job);
      return (await import('./unetc-engine.ts')).openUnetc(job);
    case 'ort-cpu':
    case 'ort-webgpu':
    case 'ort-wasm':
      return (await import('./onnx-engine.ts')).openOnnx(job.engine, job);
    default:
      throw new Error(`internal: ${job.engine} is an engine of its own process`);
  }
}

async function serve(job: EngineJob): Promise<void> {
  const engine = await open(job);
  const first = await engine.run();
  const { version, device, program } = engine;
  say({ reply: 'ready', version, device, ...(program && { program }) });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'write') {
      writeFile(job.output, writeTensors(new Map([['output', first]])));
      say({ reply: 'written' });
    } else if (line === 'run') {
      const begin = performance.now();
      await engine.run();
      say({ reply: 'ran', ms: performance.now() - begin });
    } else break;
  }
  say({ reply: 'done', rss_peak_bytes: peakMemory() });
  await engine.close();
}

let exit = 0;
try {
  await serve(JSON.parse(process.argv[2] ?? '') as EngineJob);
} catch (error) {
  exit = 1;
  if (error instanceof EngineAbsent) say({ reply: 'absent', message: error.message });
  else {
    // loaded late: it is no part of what an engine takes
    const { describeFailure } = await import('../exit.ts');
    const found = describeFailure(error);
    const { kind, message, stack = message } = found;
    say({ reply: 'failed', ...found, message: kind === 'internal' ? stack : message });
  }
}
// Dawn would keep the process alive; what was said has to leave it first.
process.stdout.write('', () => process.exit(exit));
