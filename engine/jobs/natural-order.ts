// Names in the order in which people count: 2.png before 10.png.

/** Compares two names: runs of digits by their values, all else by its code points. */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [pieces(a), pieces(b)];
  for (const [i, one] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = isNumber(one) && isNumber(other) ? byValue(one, other) : byText(one, other);
    if (order !== 0) return order;
  }
  return left.length === right.length ? byText(a, b) : -1;
}

/** Digits and what is between them, in turn. */
function pieces(name: string): readonly string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

function isNumber(piece: string): boolean {
  return /^\d/.test(piece);
}

/** By length first: a number may have more digits than a float holds. */
function byValue(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || byText(left, right);
}

function byText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
