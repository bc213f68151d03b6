// Options of the checks: `--inputs 1000 --parser npy`, with a default each.

/** Thrown for words that are no options of a check. */
export class CheckUsage extends Error {
  override readonly name = 'CheckUsage';
}

/** The values of `words` by option, in the types of the defaults. Throws CheckUsage. */
export function readOptions<T extends Readonly<Record<string, number | string>>>(
  words: readonly string[],
  defaults: T,
): { readonly [K in keyof T]: T[K] extends number ? number : string } {
  const found: Record<string, number | string> = { ...defaults };
  for (let i = 0; i < words.length; i += 2) {
    const option = words[i]!.replace(/^--/, '');
    const value = words[i + 1];
    const usual = Object.hasOwn(defaults, option) ? defaults[option] : undefined;
    if (usual === undefined || value === undefined) {
      const known = Object.entries(defaults).map(([name, standing]) => `--${name} (${standing || 'all'})`);
      throw new CheckUsage(`found '${words.slice(i, i + 2).join(' ')}', expected ${known.join(', ')}`);
    }
    if (typeof usual === 'number' && !/^-?\d+$/.test(value)) {
      throw new CheckUsage(`--${option}: found '${value}', expected a whole number`);
    }
    found[option] = typeof usual === 'number' ? Number(value) : value;
  }
  return found as { readonly [K in keyof T]: T[K] extends number ? number : string };
}
