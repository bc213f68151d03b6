// Terms on disk while a job is under way: a file of records that is only ever added to. Whatever a process was killed at, a
// record is whole or it is none, and what was computed before is not computed again.
//
// A record is six words of four bytes: row, index, three values, and a checksum over them and the job. An image's record of
// the index PRIOR has its prior's term, and two words of the digest of its values.

import fs from 'node:fs';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import type { BoundTerm } from '../../runtime/training/bound.ts';
import { setPrior, setTerm, type Terms } from './terms.ts';

const WORDS = 6;
const BYTES = 4 * WORDS;
const PRIOR = 0xffffffff;
/** Records that are read at once. */
const PIECE = 1 << 16;
/** Milliseconds between two times that the file is made to stand on the disk; a kill alone loses nothing. */
const SYNC = 2000;

export interface TermRecord {
  readonly kind: 'term';
  readonly row: number;
  readonly index: number;
  readonly term: BoundTerm;
}

export interface PriorRecord {
  readonly kind: 'prior';
  readonly row: number;
  readonly prior: number;
  readonly digest: readonly [number, number];
}

export interface Records {
  append(records: readonly (TermRecord | PriorRecord)[]): void;
  close(): void;
}

/**
 * Opens the records of a job, puts what they say in `terms`, and cuts off the end of a write that a kill broke off.
 * @param key of the job: records of another are none
 */
export function openRecords(file: string, key: string, terms: Terms): Records {
  const seed = Number.parseInt(key.slice(0, 8), 16);
  return guarded({ kind: 'output', label: file }, () => {
    const fd = fs.openSync(
      file,
      fs.constants.O_RDWR | fs.constants.O_CREAT | (fs.constants.O_NOFOLLOW ?? 0),
      0o666,
    );
    try {
      const whole = Math.floor(fs.fstatSync(fd).size / BYTES);
      readRecords(fd, whole, seed, terms);
      fs.ftruncateSync(fd, whole * BYTES);
      return writerOf(file, fd, whole, seed);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  });
}

function writerOf(file: string, fd: number, count: number, seed: number): Records {
  let end = count;
  let synced = performance.now();
  let open = true;
  return {
    append(records) {
      const words = new Uint32Array(records.length * WORDS);
      const values = new Float32Array(words.buffer);
      for (const [k, record] of records.entries()) write(record, words, values, k * WORDS, seed);
      guarded({ kind: 'output', label: file }, () => {
        const bytes = new Uint8Array(words.buffer);
        for (let done = 0; done < bytes.length; )
          done += fs.writeSync(fd, bytes, done, bytes.length - done, end * BYTES + done);
        end += records.length;
        if (performance.now() - synced < SYNC) return;
        fs.fdatasyncSync(fd);
        synced = performance.now();
      });
    },
    close() {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
}

function write(
  record: TermRecord | PriorRecord,
  words: Uint32Array,
  values: Float32Array,
  at: number,
  seed: number,
): void {
  words[at] = record.row;
  if (record.kind === 'term') {
    const { index, term } = record;
    words[at + 1] = index;
    values.set([term.vb, term.xstart_mse, term.mse], at + 2);
  } else {
    words[at + 1] = PRIOR;
    values[at + 2] = record.prior;
    words.set(record.digest, at + 3);
  }
  words[at + 5] = checksum(words, at, seed);
}

function readRecords(fd: number, count: number, seed: number, terms: Terms): void {
  for (let first = 0; first < count; first += PIECE) {
    const words = new Uint32Array(Math.min(PIECE, count - first) * WORDS);
    const bytes = new Uint8Array(words.buffer);
    for (let done = 0; done < bytes.length; ) {
      const read = fs.readSync(fd, bytes, done, bytes.length - done, first * BYTES + done);
      if (read === 0) return;
      done += read;
    }
    const values = new Float32Array(words.buffer);
    for (let at = 0; at < words.length; at += WORDS) {
      if (words[at + 5] === checksum(words, at, seed)) take(words, values, at, terms);
    }
  }
}

function take(words: Uint32Array, values: Float32Array, at: number, terms: Terms): void {
  const [row, index] = [words[at]!, words[at + 1]!];
  if (row >= terms.images) return;
  if (index === PRIOR) {
    setPrior(terms, row, values[at + 2]!);
    terms.digests.set(words.subarray(at + 3, at + 5), 2 * row);
  } else if (index < terms.steps) {
    const [vb, xstart_mse, mse] = values.subarray(at + 2, at + 5);
    setTerm(terms, row, index, { vb: vb!, xstart_mse: xstart_mse!, mse: mse! });
  }
}

/** Fowler, Noll and Vo's hash of the record's words, from the job's own beginning: a record of zeros has it not. */
function checksum(words: Uint32Array, at: number, seed: number): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = at; i < at + 5; i++) {
    for (let shift = 0; shift < 32; shift += 8) {
      hash = Math.imul(hash ^ ((words[i]! >>> shift) & 0xff), 0x01000193) >>> 0;
    }
  }
  return hash;
}
