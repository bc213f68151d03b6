import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Json, MAX_DEPTH, readJson } from '../../../compiler/format/json.ts';

/** Faults as `code pointer line:column`. */
function faults(text: string): readonly string[] {
  return readJson(text).faults.map((f) => `${f.code} ${f.pointer} ${f.position?.line}:${f.position?.column}`);
}

describe('readJson', () => {
  test('reads any value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(
          !/"(__proto__|constructor|toString|valueOf|hasOwnProperty|isPrototypeOf|__\w+__)":/.test(text),
        );
        const read = readJson(text);
        expect(read.faults).toEqual([]);
        expect(JSON.stringify(read.value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('agrees with JSON.parse on which texts are JSON', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e5',
      '0',
      'true',
      ' ',
      '\n',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let parsed: Json | undefined;
        try {
          parsed = JSON.parse(text) as Json;
        } catch {
          parsed = undefined;
        }
        const read = readJson(text);
        const syntax = read.faults.filter((f) => f.code === 'G001');
        expect(syntax.length > 0).toBe(parsed === undefined);
        if (parsed !== undefined) expect(JSON.stringify(read.value)).toBe(JSON.stringify(parsed));
      }),
      { numRuns: 2000 },
    );
  });

  test('a long key before many values costs no more than its letters', () => {
    const text = `{"${'A'.repeat(100_000)}": [${Array.from({ length: 100_000 }, () => 0).join()}]}`;
    const { value, faults } = readJson(text);
    expect(Object.values(value as object)[0]).toHaveLength(100_000);
    expect(faults).toEqual([]);
  });

  test('a fault below a long key is told with the beginning of it', () => {
    const [fault] = readJson(`{"${'A'.repeat(100_000)}": [1,]}`).faults;
    expect(fault!.pointer.length).toBeLessThan(300);
  });

  test('keeps where every value and key begins', () => {
    const read = readJson('{\n  "a/b": [1,\n    {"c~": true}]\n}');
    const places = ['', '/a~1b', '/a~1b/0', '/a~1b/1', '/a~1b/1/c~0'].map((pointer) => {
      const { line, column } = read.values.get(pointer)!;
      return `${pointer} ${line}:${column}`;
    });
    expect(places).toEqual([' 1:1', '/a~1b 2:10', '/a~1b/0 2:11', '/a~1b/1 3:5', '/a~1b/1/c~0 3:12']);
    for (const nowhere of ['/b', '/a~1b/2', '/a~1b/x', '/a~1b/1/c~0/d']) {
      expect(read.values.get(nowhere)).toBeUndefined();
    }
    expect(read.keys.get('/a~1b/1/c~0')).toEqual({ line: 3, column: 6 });
  });

  test.each([
    ['a repeated key', '{"a": 1, "a": 2}', ['G002 /a 1:10']],
    [
      'names that objects inherit',
      '{"__proto__": {"x": 1}, "toString": 1}',
      ['G003 /__proto__ 1:2', 'G003 /toString 1:25'],
    ],
    ['numbers out of range', '[1e999, -1e400]', ['G005 /0 1:2', 'G005 /1 1:9']],
    ['a byte order mark', '\ufeff{}', ['G006  1:1']],
    [
      'trailing commas and comments',
      '{"a": [1,], // one\n /* two */ "b": 2,}',
      ['G001 /a 1:9', 'G001  1:13', 'G001  2:2', 'G001  2:18'],
    ],
    ['text after the value', '{} x', ['G001  1:4']],
    ['an empty text', '', ['G001  1:1']],
    ['a string without an end', '{"a": "b', ['G001 /a 1:7']],
    ['a line break in a string', '["a\nb"]', ['G001 /0 1:4']],
    ['an unknown escape', '["\\x41"]', ['G001 /0 1:3']],
    ['single quotes', "{'a': 1}", ['G001  1:2']],
    ['NaN', '[NaN]', ['G001 /0 1:2']],
    ['a leading zero', '[01]', ['G001 /0 1:2']],
    ['a leading plus', '[+1]', ['G001 /0 1:2']],
    ['a missing comma', '[1 2]', ['G001  1:4']],
    ['a missing colon', '{"a" 1}', ['G001 /a 1:6']],
  ])('reports %s', (_, text, expected) => {
    const found = faults(text);
    expect([...found].sort()).toEqual([...expected].sort());
  });

  test('goes on after faults that it can pass', () => {
    const read = readJson('\ufeff{"a": 1e999, "a": 2, "__proto__": 3, "b": [4,],}');
    expect(read.faults.map((f) => f.code)).toEqual(['G006', 'G005', 'G002', 'G003', 'G001', 'G001']);
    expect(JSON.stringify(read.value)).toBe('{"a":2,"b":[4]}');
  });

  test('inherited names never reach the value', () => {
    const { value } = readJson('{"__proto__": {"polluted": true}}');
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('stops at too deep a nesting, and not before', () => {
    expect(faults('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH))).toEqual([]);
    expect(readJson('['.repeat(MAX_DEPTH + 1)).faults[0]?.code).toBe('G004');
    expect(readJson('[{"a":'.repeat(100_000)).faults[0]?.code).toBe('G004');
  });
});
