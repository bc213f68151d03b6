// Bundles that somebody changed by intent, with new digests: each is refused with what differs.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { findTarget } from '../../../compiler/target.ts';
import { compileWith } from '../../../engine/compile/compile-with.ts';
import type { ModelSettings } from '../../../engine/compile/model-settings.ts';
import { bundleSource } from '../../../engine/model/model-source.ts';
import { type Bundle, digestedText, type Manifest } from '../../../runtime/bundle.ts';
import { checkManifest } from '../../../runtime/bundle-check.ts';
import { goldenGraph } from '../../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');

function compiled(settings: ModelSettings = {}): Bundle {
  const target = findTarget(settings.target ?? 'generic')!;
  return compileWith(graph, settings, target, { label: 'tiny-film' }).bundle;
}

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };

/** The bundle with another manifest, which says a digest of its own. */
function changed({ manifest, kernels }: Bundle, change: (manifest: Mutable<Manifest>) => void): Bundle {
  const copy = structuredClone(manifest) as Mutable<Manifest>;
  change(copy);
  copy.sha256 = createHash('sha256')
    .update(digestedText(copy as Manifest))
    .digest('hex');
  return { manifest: copy as Manifest, kernels };
}

const open = (bundle: Bundle, trust?: boolean) => bundleSource(bundle, 'b', { trust });

describe('a bundle as it was compiled', () => {
  test.each([
    ['plain', {}],
    ['for another target', { target: 'software' }],
    ['in float16, strict, with taps, for two', { precision: 'f16', strict: true, taps: true, batch: 2 }],
    ['by a tuning of its own', { target: 'software', tuning: 'none' }],
    ['for little memory', { target: 'software', memory: 1 }],
  ] as const)('%s is that of its graph', (_, settings) => {
    const source = open(compiled(settings));
    expect(source).toMatchObject({ verified: true, note: null });
  });
});

test('a bundle says all that its choices came from', () => {
  const { tuning } = compiled({ target: 'software' }).manifest.compiler;
  for (const key of Object.keys(tuning ?? {})) expect(key).toMatch(/^conv(_transpose)? \d+>\d+ /);
  expect(compiled({ target: 'software', tuning: 'none' }).manifest.compiler.tuning).toBeNull();
});

describe('a bundle with new digests is refused where', () => {
  test.each<[string, (manifest: Mutable<Manifest>) => void, RegExp]>([
    [
      'two dispatches changed places',
      ({ dispatches }) => dispatches.splice(5, 2, dispatches[6]!, dispatches[5]!),
      /\/dispatches\/5\//,
    ],
    [
      'a dispatch is gone',
      ({ dispatches, passes }) => {
        dispatches.pop();
        passes[0]!.dispatches--;
      },
      /\/dispatches: found \d+ entries, expected \d+/,
    ],
    [
      'half of the workgroups run',
      ({ dispatches }) => {
        const one = dispatches.find(({ workgroups }) => workgroups[0] > 1)!;
        one.workgroups[0] = Math.floor(one.workgroups[0] / 2);
      },
      /\/workgroups\/0: found \d+, expected \d+/,
    ],
    [
      'weights overlap',
      ({ weights }) => {
        weights[1]!.offset = weights[0]!.offset;
        weights[1]!.arena = weights[0]!.arena;
      },
      /\/weights\/1\//,
    ],
    [
      'slots are swapped',
      ({ dispatches }) => {
        const one = dispatches.find(({ bindings }) => bindings.filter((b) => b.kind === 'slot').length > 2)!;
        const [a, b] = one.bindings.filter((binding) => binding.kind === 'slot');
        const slot = a!.slot;
        a!.slot = b!.slot;
        b!.slot = slot;
      },
      /\/bindings\/\d+\/slot/,
    ],
    [
      'the pass is split',
      ({ passes }) => {
        const { dispatches } = passes[0]!;
        passes.splice(0, 1, { name: 'forward', dispatches: dispatches - 1 }, { name: 'rest', dispatches: 1 });
      },
      /\/passes: found 2 entries, expected 1/,
    ],
    ['sizes are others', ({ dispatches }) => dispatches[3]!.sizes.reverse(), /\/dispatches\/3\/sizes\//],
    [
      'a kernel is another',
      ({ kernels }) => {
        kernels[0]!.sha256 = '0'.repeat(64);
      },
      /\/kernels\/0\/sha256/,
    ],
    [
      'the target is unknown',
      (manifest) => {
        manifest.target = 'abacus';
      },
      /no target 'abacus'/,
    ],
  ])('%s', (_, change, expected) => {
    const bundle = changed(compiled(), change);
    expect(() => open(bundle)).toThrow(/b: this is not what its graph compiles to:.*--trust/s);
    expect(() => open(bundle)).toThrow(expected);
    expect(open(bundle, true)).toMatchObject({ verified: false, note: null });
  });

  test('nothing of it goes unnoticed that the manifest alone cannot show', () => {
    const swapped = changed(compiled(), ({ dispatches }) =>
      dispatches.splice(5, 2, dispatches[6]!, dispatches[5]!),
    );
    expect(checkManifest(swapped.manifest)).toEqual([]);
  });
});

test('a bundle of another version is taken with a note', () => {
  const bundle = changed(compiled(), (manifest) => {
    manifest.compiler.version = '0.0.7';
    manifest.dispatches[0]!.flops++;
  });
  expect(open(bundle)).toMatchObject({ verified: false });
  expect(open(bundle).note).toMatch(/b: unetc 0\.0\.7 wrote this bundle.*not compared/s);
});
