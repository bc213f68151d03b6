// What a bundle tells of its schedule: dispatches with what is fused in them, kernels, memory, what the adapter needs.

import type { Bundle } from '../../runtime/bundle.ts';

export interface DispatchFacts {
  /** Path of what it computes: `input_blocks.5.0.in_layers.2`. */
  readonly path: string;
  /** Kernel without its hash: `conv`, and the file with it. */
  readonly kernel: string;
  readonly file: string;
  /** What is fused: `prologue group_norm`, `epilogue add`, `skip`, `statistics`, `upsample`. */
  readonly fused: readonly string[];
}

export interface ScheduleFacts {
  readonly target: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly dispatches: readonly DispatchFacts[];
  /** Text of each kernel by file. */
  readonly kernels: ReadonlyMap<string, string>;
  readonly slots: number;
  /** Bytes of all slots together. */
  readonly activation_bytes: number;
}

/** Reads a bundle's manifest. */
export function scheduleFacts({ manifest, kernels }: Bundle): ScheduleFacts {
  return {
    target: manifest.target,
    features: manifest.requires.features,
    limits: manifest.requires.limits,
    dispatches: manifest.dispatches.map(({ path, group, kernel }) => {
      const { file } = manifest.kernels[kernel]!;
      return { path, file, kernel: baseName(file), fused: fusedIn(group) };
    }),
    kernels,
    slots: manifest.slots.length,
    activation_bytes: manifest.memory.activations,
  };
}

/** `conv-1a2b3c4d.wgsl` as `conv`. */
export function baseName(file: string): string {
  return file.replace(/-[0-9a-f]{8}\.wgsl$/, '');
}

/**
 * The fusions in a schedule's line: every `word[…]` before the type. Lists of ops count one by one; of a map, which has
 * no op of its own, the first is what it is there for.
 */
export function fusedIn(group: string): readonly string[] {
  const [head = ''] = group.split(/ (?:f32|f16|u32)\[/);
  const words = [...head.matchAll(/ (\w+)\[([^\]]*)\]/g)].flatMap(([, word = '', inside = '']) => {
    const list = word === 'prologue' || word === 'epilogue';
    return list ? inside.split(', ').map((op) => `${word} ${op}`) : [word];
  });
  return /^(#\d+ )?map\b/.test(head) ? words.slice(1) : words;
}

/**
 * Epsilons of the norms of a bundle, to float32's seven digits: what its kernels add under an inverse square root, as a
 * number in their text or as the field `epsilon` of their sizes.
 */
export function epsilonsIn({ manifest, kernels }: Bundle): readonly number[] {
  const found = new Set<number>();
  for (const text of kernels.values()) {
    for (const [, value] of text.matchAll(/inverseSqrt\([^;]*\+ ([\d.]+(?:e-?\d+)?)\)/g))
      found.add(Number(value));
  }
  const fields = manifest.kernels.map(({ file }) => sizesOf(kernels.get(file) ?? '').indexOf('epsilon'));
  for (const { kernel, sizes } of manifest.dispatches) {
    const word = sizes[fields[kernel]!];
    if (word !== undefined) found.add(new Float32Array(Uint32Array.of(word).buffer)[0]!);
  }
  return [...new Set([...found].map((value) => Number(value.toPrecision(7))))].sort((x, y) => x - y);
}

/** The fields of a kernel's `struct Sizes`, a word each. */
function sizesOf(text: string): readonly string[] {
  const [, body = ''] = /struct Sizes \{([^}]*)\}/.exec(text.replace(/\/\/.*$/gm, '')) ?? [];
  return [...body.matchAll(/(\w+)\s*:\s*[ufi]32/g)].map(([, name = '']) => name);
}
