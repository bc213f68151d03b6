// Keeps what native code prints off stdout and stderr. Dawn tells of limits that it lowered and of warnings in shaders
// with C's stdio, and its binding has no switch for either; stdout is for results, and stderr for what we say.
//
// Node has no dup2, and to close and open a descriptor would race with its other threads. C's streams, which Node itself
// does not write to, have the number of their descriptor in memory: for the length of a call it is that of /dev/null.
// Linux lets a process write its own memory by file. Wherever anything is not as glibc has it, nothing is changed.

import fs from 'node:fs';
import { endianness } from 'node:os';
import { env } from 'node:process';

/** Runs `work`, and what it prints with C's stdio is not seen. */
export type Mute = <T>(work: () => T) => T;

const STREAMS = ['_IO_2_1_stdout_', '_IO_2_1_stderr_'] as const;

/** Of glibc's FILE on 64-bit machines: the number that marks one, and where its descriptor stands. */
const MAGIC = 0xfbad;
const DESCRIPTOR_OFFSET = 112;

/** The mute of this process, which holds two descriptors; one that changes nothing where C's streams are not found. */
export function createMute(): Mute {
  const plain: Mute = (work) => work();
  // who asks the loader of Vulkan for its messages wants to see them
  if (process.platform !== 'linux' || endianness() !== 'LE' || env.VK_LOADER_DEBUG) return plain;
  try {
    const places = streamsOf(fs.readFileSync('/proc/self/maps', 'latin1'));
    const memory = fs.openSync('/proc/self/mem', 'r+');
    if (!places.every((at, i) => isStream(memory, at, i + 1))) {
      fs.closeSync(memory);
      return plain;
    }
    const nowhere = fs.openSync('/dev/null', 'w');
    const point = (descriptors: readonly number[]) =>
      places.forEach((at, i) => {
        fs.writeSync(memory, word(descriptors[i]!), 0, 4, at + DESCRIPTOR_OFFSET);
      });
    let depth = 0;
    return (work) => {
      if (depth++ === 0) point([nowhere, nowhere]);
      try {
        return work();
      } finally {
        if (--depth === 0) point([1, 2]);
      }
    };
  } catch {
    return plain;
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Whether a stream of C stands at an address, with the descriptor that it has from the beginning. */
function isStream(memory: number, at: number, descriptor: number): boolean {
  const bytes = Buffer.alloc(DESCRIPTOR_OFFSET + 4);
  fs.readSync(memory, bytes, 0, bytes.length, at);
  return bytes.readUInt16LE(2) === MAGIC && bytes.readInt32LE(DESCRIPTOR_OFFSET) === descriptor;
}

/** The addresses of C's streams, by the list of what is mapped; throws where there is no glibc in it. */
function streamsOf(maps: string): readonly number[] {
  const [, start, library] = /^([0-9a-f]+)-\S+ \S+ 0+ .*?(\/\S*\/libc(?:\.so\.6|-2\.\d+\.so))$/m.exec(maps)!;
  const symbols = dynamicSymbols(library!);
  return STREAMS.map((name) => Number.parseInt(start!, 16) + symbols.valueOf(name));
}

/** The dynamic symbols of a library. Source: Tool Interface Standard, ELF-64 object file format. */
function dynamicSymbols(file: string): { valueOf(name: string): number } {
  const fd = fs.openSync(file, 'r');
  try {
    const read = (at: number, length: number) => {
      const bytes = Buffer.alloc(length);
      fs.readSync(fd, bytes, 0, length, at);
      return bytes;
    };
    const head = read(0, 64);
    const size = head.readUInt16LE(58);
    const table = read(Number(head.readBigUInt64LE(40)), size * head.readUInt16LE(60));
    const section = (index: number) => {
      const entry = table.subarray(index * size);
      const [at, length] = [Number(entry.readBigUInt64LE(24)), Number(entry.readBigUInt64LE(32))];
      return { type: entry.readUInt32LE(4), link: entry.readUInt32LE(40), bytes: () => read(at, length) };
    };
    const DYNSYM = 11;
    let index = 0;
    while (section(index).type !== DYNSYM) index++;
    const symbols = section(index).bytes();
    const names = section(section(index).link).bytes();
    return {
      valueOf(name) {
        const wanted = names.indexOf(`\0${name}\0`, 0, 'latin1') + 1;
        let at = 0;
        while (symbols.readUInt32LE(at) !== wanted) at += 24;
        return Number(symbols.readBigUInt64LE(at + 8));
      },
    };
  } finally {
    fs.closeSync(fd);
  }
}
