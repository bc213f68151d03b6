import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { RULES } from '../../../compiler/format/rules.ts';
import { printExplicit, toExplicit } from '../../../compiler/graph/explicit.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';

/** Loads, and lets through nothing but a graph or a GraphError that says something, somewhere. */
function loadsOrExplains(text: string): boolean {
  try {
    loadGraph(text, 'a.json');
    return true;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    expect(error.diagnostics.some((d) => d.severity === 'error')).toBe(true);
    for (const d of error.diagnostics) {
      expect(d.code in RULES, d.code).toBe(true);
      expect(d.pointer).toMatch(/^(\/.*)?$/s);
      expect(d.message.length).toBeGreaterThan(10);
    }
    return false;
  }
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, v]) => pathsOf(v, [...path, key]))];
}

/** A copy of `value` with another value (or nothing) at `path`. */
function withValue(value: unknown, path: Path, put: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return put;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = withValue(copy[key], rest, put);
  return copy;
}

describe('loadGraph never fails but by GraphError', () => {
  test('on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void loadsOrExplains(text)));
  });

  test('on any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => void loadsOrExplains(text)));
  });

  const corrupt = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      true,
      '',
      '8',
      -1,
      0,
      1,
      1.5,
      33,
      5,
      2 ** 31,
      1e300,
      [],
      {},
      [1, 2, 3],
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const forms = fc.tuple(arbitraryCompactGraph, fc.boolean()).map(([file, explicit]) => {
    if (!explicit) return file;
    return JSON.parse(printExplicit(toExplicit(loadGraph(JSON.stringify(file), 'a.json').graph))) as unknown;
  });

  test('on valid graphs of both forms with one or two values exchanged', () => {
    let loaded = 0;
    const edits = fc.array(fc.tuple(fc.nat(), corrupt), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(forms, edits, (file, list) => {
        const edited = list.reduce<unknown>((value, [at, put]) => {
          const paths = pathsOf(value);
          return withValue(value, paths[at % paths.length]!, put);
        }, file);
        if (loadsOrExplains(JSON.stringify(edited) ?? '')) loaded++;
      }),
      { numRuns: 300 },
    );
    expect(loaded).toBeGreaterThan(0);
  });

  test('on valid graphs with a piece of text cut out', () => {
    fc.assert(
      fc.property(forms, fc.nat(), fc.integer({ min: 1, max: 9 }), (file, at, length) => {
        const text = JSON.stringify(file);
        const from = at % text.length;
        loadsOrExplains(text.slice(0, from) + text.slice(from + length));
      }),
    );
  });
});

describe('loadGraph', () => {
  test('tells every fault with its place in the text', () => {
    const text = `{
  "version": 1,
  "image_size": 30,
  "unet": {
    "in_channels": 3, "model_channels": 32, "out_channels": 3, "num_res_blocks": 1,
    "attention_resolutions": [2], "num_heads": 5,
    "num_heads": 3
  }
}`;
    const { message } = catchGraphError(() => loadGraph(text, 'g.json'));
    expect(message.split('\n')).toEqual([
      'error[G013] g.json:/image_size: image_size 30 does not survive the downsamplings: output_blocks.4 is given 16 from below and 15 from input_blocks.3; the nearest that do are 24 and 32 (line 3, column 17)',
      'error[G002] g.json:/unet/num_heads: this key stands a second time, after line 6; keep one (line 7, column 5)',
      'error[G012] g.json:/unet/num_heads: 64 channels do not divide into 3 heads; use 2, 4 or 8 (line 7, column 18)',
    ]);
  });

  test('text of the file cannot break a line or steer a terminal', () => {
    const text = JSON.stringify({ version: 1, image_size: 8, 'a\n\u001b[31m\u009b\u202e': 1, unet: {} });
    const { message, diagnostics } = catchGraphError(() => loadGraph(text, 'g.json'));
    expect(message.split('\n')).toHaveLength(diagnostics.length);
    expect(message).toContain(' g.json:/a\\u{a}\\u{1b}[31m\\u{9b}\\u{202e}: ');
  });

  test('the largest graph of the format loads, or is refused, in moments', () => {
    const unet = {
      in_channels: 4096,
      model_channels: 8192,
      out_channels: 8192,
      num_res_blocks: 64,
      attention_resolutions: [1, 2, 4, 8],
      channel_mult: Array.from({ length: 16 }, () => 32),
    };
    const text = (image_size: number) => JSON.stringify({ version: 1, image_size, unet });
    const { graph } = loadGraph(text(32768), 'g.json');
    expect(loadGraph(printExplicit(toExplicit(graph)), 'g.json').graph).toEqual(graph);
    expect(catchGraphError(() => loadGraph(text(32767), 'g.json')).message).toContain('does is 32768');
  }, 30_000);
});

function catchGraphError(run: () => unknown): GraphError {
  try {
    run();
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
  throw new Error('expected a GraphError');
}
