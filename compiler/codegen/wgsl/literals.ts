// Numbers as WGSL reads them.

/** A number as WGSL reads it as a float. */
export function floatLiteral(x: number): string {
  return Number.isInteger(x) ? x.toFixed(1) : String(x);
}
