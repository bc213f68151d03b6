// What may reach a terminal. Names from files are in messages, notes and tables: characters that steer a terminal, or
// turn the order of what is read, are written out as escapes, here and nowhere else.

/**
 * C0 but for tabs and line ends, DEL, C1, the marks and overrides of bidirectional text, and the two separators of lines
 * that are no line ends to anybody else.
 */
const STEERING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The styles that the command line itself writes: bold, dim, red, green, yellow, cyan, and their end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with ESC
const STYLE = /\u001b\[(?:0|1|2|3[1236]|1;3[13])m/g;

/** A bar goes back to the start of its line and clears it; nothing but a bar begins so. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with ESC
const BAR = /^\r(?:\u001b\[K)?/;

/** `text` without anything that steers a terminal, but for styles and bars where the stream takes them. */
export function printable(
  text: string,
  { styles = false, bars = false }: { readonly styles?: boolean; readonly bars?: boolean } = {},
): string {
  const bar = bars ? (BAR.exec(text)?.[0] ?? '') : '';
  const rest = text.slice(bar.length);
  if (!styles) return bar + escaped(rest);
  const found = rest.match(STYLE) ?? [];
  return (
    bar +
    rest
      .split(STYLE)
      .map((piece, i) => escaped(piece) + (found[i] ?? ''))
      .join('')
  );
}

/** `\u001b` and the like: in a string of JSON the same value as before. */
function escaped(text: string): string {
  return text.replace(STEERING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
