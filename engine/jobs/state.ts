// What a job under way keeps in its folder, below `.unetc`: a lock, a journal of the samples that are done, and chains
// that were stopped on their way. All of it is gone when the job is done; the manifest takes its place.

import fs from 'node:fs';
import path from 'node:path';
import { pathKind, writeFile } from '../../runtime/host/node/files.ts';
import type { ChainState } from '../../runtime/sampler/chain.ts';
import { sha256Of } from '../digest.ts';
import { type ChainLimits, readChains, type StoppedChain, writeChains } from './checkpoint.ts';
import { type Entry, entrySchema, type Identity, identitySchema } from './manifest.ts';
import { type Shard, shardName } from './shard.ts';
import { removeTemporaries } from './temporaries.ts';

const STATE_FOLDER = '.unetc';
const JOURNAL = 'journal.jsonl';
const CHAINS = 'chains.safetensors';

/** Where the state of a shard lies. */
export function statePath(out: string, shard: Pick<Shard, 'index' | 'count'>): string {
  return path.join(out, STATE_FOLDER, shardName(shard) ?? 'job');
}

/** What the state of a shard consists of, relative to the folder of samples. */
export function stateFiles(shard: Pick<Shard, 'index' | 'count'>): readonly string[] {
  const state = `${STATE_FOLDER}/${shardName(shard) ?? 'job'}`;
  return [JOURNAL, CHAINS, PARTS, 'lock'].map((name) => `${state}/${name}`);
}

export const lockPath = (state: string): string => path.join(state, 'lock');

export interface JobState {
  /** Entries of the journal, by seed. */
  readonly entries: ReadonlyMap<number, Entry>;
  /** Chains to go on with, by seed. Throws RuntimeError('output') where they are not as they were saved. */
  chains(limits: ChainLimits): ReadonlyMap<number, ChainState>;
  /** Notes that a sample is done and on disk. */
  record(entries: readonly Entry[]): void;
  /** Saves chains in place of those saved before. */
  save(chains: readonly StoppedChain[]): void;
  /** Whether nothing is kept that a later run could go on with. */
  isEmpty(): boolean;
  /** Removes everything but the lock. */
  clear(): void;
}

/** Opens the state in `folder`, which its lock's holder owns. Torn ends of a killed run are cut off. */
export function openState(folder: string, identity: Identity): JobState {
  const key = sha256Of(JSON.stringify(identity));
  const journal = path.join(folder, JOURNAL);
  const chainFile = path.join(folder, CHAINS);
  removeTemporaries(folder, () => true);
  const lines = readLines(journal);
  const entries = new Map(
    lines
      .slice(1)
      .flatMap((line) => parseEntry(line))
      .map((entry) => [entry.seed, entry]),
  );
  const header = JSON.stringify(identity);
  writeFile(
    journal,
    `${[header, ...[...entries.values()].map((entry) => JSON.stringify(entry))].join('\n')}\n`,
  );
  let empty = entries.size === 0 && pathKind(chainFile) === 'missing';
  return {
    entries,
    chains: (limits) => (pathKind(chainFile) === 'missing' ? new Map() : readChains(chainFile, key, limits)),
    isEmpty: () => empty,
    record(added) {
      empty = false;
      appendLines(
        journal,
        added.map((entry) => JSON.stringify(entry)),
      );
    },
    save(chains) {
      empty = false;
      writeChains(chainFile, chains, key);
    },
    clear() {
      for (const file of [journal, chainFile]) fs.rmSync(file, { force: true });
      fs.rmSync(path.join(folder, PARTS), { recursive: true, force: true });
    },
  };
}

/** Below the state: values of samples that are to be joined in one file. */
export const PARTS = 'samples';

/** Takes away a state's folder and `above` it, where they are empty: another writer's stay. */
export function removeStateFolders(folder: string, above: readonly string[] = []): void {
  for (const empty of [folder, path.dirname(folder), ...above]) {
    try {
      fs.rmdirSync(empty);
    } catch {
      return;
    }
  }
}

/** The identities of the jobs whose journals are in a folder of samples, with the files that say so. */
export function journalsIn(out: string): readonly { readonly file: string; readonly identity: Identity }[] {
  const root = path.join(out, STATE_FOLDER);
  if (pathKind(root) !== 'folder') return [];
  return fs.readdirSync(root).flatMap((name) => {
    const file = path.join(root, name, JOURNAL);
    const [header] = pathKind(file) === 'file' ? readLines(file) : [];
    const identity = header === undefined ? null : identitySchema.safeParse(parseJson(header)).data;
    return identity ? [{ file, identity }] : [];
  });
}

/** Whole lines; what stands behind the last newline was being written when its writer died. */
function readLines(file: string): readonly string[] {
  return pathKind(file) === 'file' ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function appendLines(file: string, lines: readonly string[]): void {
  const fd = fs.openSync(file, 'a');
  try {
    fs.writeSync(fd, lines.map((line) => `${line}\n`).join(''));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function parseEntry(line: string): readonly Entry[] {
  const found = entrySchema.safeParse(parseJson(line));
  return found.success ? [found.data] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
