// The hour on a GPU (`npm run bench:gpu`): float16 beside PyTorch and ONNX Runtime, each model and batch by a call of
// `unetc bench` of its own, so that one that does not fit ends alone. Graph files in the call take the place of the three
// models, options are passed on.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/package.ts';
import type { BenchResult } from './bench.ts';
import { benchTable } from './table.ts';

const MODELS = ['cifar10', 'imagenet64', 'lsun256'].map((name) =>
  join(packageRoot(), 'graphs', `${name}.json`),
);
const BATCHES = [1, 16, 64];
const PEERS = ['torch-f16', 'torch-channels-last', 'torch-compile', 'ort-webgpu'];

/** What `unetc bench --json` prints: a result, or the error of a case that failed. */
type Outcome = BenchResult | { readonly error: { readonly message: string } };

/** The JSON document of a call; all else that it says goes to stderr. */
function benchCase(words: readonly string[]): Promise<Outcome> {
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'bench', ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      try {
        resolve(JSON.parse(text) as Outcome);
      } catch {
        resolve({ error: { message: `it ended with exit code ${code} and printed no result` } });
      }
    });
  });
}

const words = process.argv.slice(2);
const graphs = words.filter((word) => word.endsWith('.json'));
const options = words.filter((word) => !graphs.includes(word));
const models = graphs.length > 0 ? graphs : MODELS;

const results: BenchResult[] = [];
const faults: string[] = [];
fs.mkdirSync('out', { recursive: true });
for (const model of models) {
  for (const batch of BATCHES) {
    process.stderr.write(`${model}, batch ${batch}\n`);
    const settings = ['--precision', 'f16', '--batch', String(batch), '--against', PEERS.join(',')];
    const outcome = await benchCase([model, ...settings, '--runs', '30', '--warmup', '5', ...options]);
    if ('error' in outcome)
      faults.push(`- ${model}, batch ${batch}: ${outcome.error.message.split('\n')[0]}\n`);
    else results.push(outcome);
    fs.writeFileSync(
      join('out', 'bench-gpu.json'),
      `${JSON.stringify({ cases: results, faults }, null, 2)}\n`,
    );
  }
}
const adapter = results[0]?.adapter ?? 'no adapter';
process.stdout.write(`### ${adapter}\n\n${benchTable(results, 'markdown')}${faults.join('')}`);
process.exitCode = results.length > 0 ? 0 : 1;
