// Run by Deno: names of golden cases as JSON on stdin; what they gave on its WebGPU, and on which adapter, as JSON on stdout.

import process from 'node:process';
import { json } from 'node:stream/consumers';
import { openWebDevice } from '../../../../runtime/host/web/device.ts';
import { judgedCases } from '../cases.ts';
import { type RanCases, runCases } from '../run-cases.ts';

const names = (await json(process.stdin)) as readonly string[];
const opened = await openWebDevice();
const answer: RanCases = await runCases(
  judgedCases().filter(({ name }) => names.includes(name)),
  opened,
);
await opened.close();
process.stdout.write(JSON.stringify(answer));
