// What every SVG is made with: text that is safe in XML, labels, coordinates of one decimal or two.

/** Text as XML, in elements and in attributes; control characters have no place in either. */
export function escaped(text: string): string {
  return text
    .replace(/[^\P{C}\n]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A line of text; `attributes` as they stand in the element. */
export function label(x: number, y: number, text: string, attributes = ''): string {
  const rest = attributes === '' ? '' : ` ${attributes}`;
  return `<text x="${round(x)}" y="${round(y)}"${rest}>${escaped(text)}</text>`;
}

/** A coordinate to a hundredth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
