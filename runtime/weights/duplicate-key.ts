// JSON.parse keeps the last of two equal keys in silence; this finds them in a text that JSON.parse has accepted.

/** The first key that an object of `text` holds twice, or null. `text` must be valid JSON. */
export function duplicateKey(text: string): string | null {
  const objects: (Set<string> | null)[] = [];
  let key = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '{') {
      objects.push(new Set());
      key = true;
    } else if (c === '[') {
      objects.push(null);
      key = false;
    } else if (c === '}' || c === ']') {
      objects.pop();
      key = false;
    } else if (c === ',') {
      key = objects.at(-1) != null;
    } else if (c === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (!key) continue;
      key = false;
      const name = String(JSON.parse(text.slice(start, at + 1)));
      const seen = objects.at(-1);
      if (seen?.has(name)) return name;
      seen?.add(name);
    }
  }
  return null;
}
