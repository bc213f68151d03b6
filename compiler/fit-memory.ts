// Kernels that need less memory, where what is compiled does not fit: a byte of packed weights gets a price, which choices
// of convolutions add to what they take, and the price is raised until the result fits.

/**
 * Microseconds that a byte of packed weights is worth where memory is limited, one after the other until the result
 * fits. At the last one no algorithm that expands weights is left.
 */
const PRICES = [1e-4, 2e-4, 3e-4, 5e-4, 8e-4, 2e-3, 1];

/** The price at which weights are not expanded. */
export const UNEXPANDED = PRICES.at(-1)!;

/** The first result that fits into `limit` bytes, at the lowest price from `lowest` on; else the one that takes least. */
export function fitMemory<T>(
  limit: number,
  compileAt: (price: number) => T,
  bytesOf: (result: T) => number,
  lowest = 0,
): T {
  let least = compileAt(lowest);
  for (const price of PRICES) {
    if (bytesOf(least) <= limit) break;
    if (price <= lowest) continue;
    const smaller = compileAt(price);
    if (bytesOf(smaller) < bytesOf(least)) least = smaller;
  }
  return least;
}
