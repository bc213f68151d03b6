import { describe, expect, test } from 'vitest';
import { printable } from '../../cli/printable.ts';

describe('what steers a terminal is written out', () => {
  test.each([
    ['ESC', 'a\u001b[2J', 'a\\u001b[2J'],
    ['CSI in one character', 'a\u009b2J', 'a\\u009b2J'],
    ['OSC in one character', '\u009d0;title\u009c', '\\u009d0;title\\u009c'],
    ['DEL and BEL', '\u007f\u0007', '\\u007f\\u0007'],
    ['a return that hides the line before', 'error: a\rfine', 'error: a\\u000dfine'],
    ['an override of direction', 'a\u202egnp.b', 'a\\u202egnp.b'],
    ['an isolate', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['a separator of lines', 'a\u2028b', 'a\\u2028b'],
    ['NUL', '\u0000', '\\u0000'],
  ])('%s', (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  test('text of any language, tabs and line ends stay', () => {
    const text = 'naïve\tשלום 日本 🙂\n';
    expect(printable(text)).toBe(text);
  });

  test('JSON keeps its value', () => {
    const value = { name: 'a\u009b\u007f\u202e\u2028' };
    const text = printable(JSON.stringify(value));
    expect(text).toBe('{"name":"a\\u009b\\u007f\\u202e\\u2028"}');
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('styles and bars of our own', () => {
  const error = '\u001b[1;31merror:\u001b[0m a\u001b[2Jb';

  test('styles pass where the stream takes colour, and no other sequence', () => {
    expect(printable(error, { styles: true })).toBe('\u001b[1;31merror:\u001b[0m a\\u001b[2Jb');
    expect(printable(error)).toBe('\\u001b[1;31merror:\\u001b[0m a\\u001b[2Jb');
  });

  test('a bar begins a text, on a terminal alone', () => {
    const bar = '\r\u001b[Ksampling ██';
    expect(printable(bar, { bars: true })).toBe(bar);
    expect(printable(`note: ${bar}`, { bars: true })).toBe('note: \\u000d\\u001b[Ksampling ██');
    expect(printable(bar)).toBe('\\u000d\\u001b[Ksampling ██');
  });
});
