import { expect, test } from 'vitest';
import type { Words4 } from '../../../runtime/sampler/philox.ts';
import { philox4x32 } from '../../../runtime/sampler/philox.ts';

// The known answers of Random123's kat_vectors for philox4x32 with 10 rounds.
const KNOWN_ANSWERS: readonly { counter: Words4; key: readonly [number, number]; words: string }[] = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: '6627e8d5 e169c58d bc57ac4c 9b00dbd8' },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: '408f276d 41c83b0e a20bc7c6 6d5451fd',
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: 'd16cfe09 94fdcceb 5001e420 24126ea1',
  },
];

test.each(KNOWN_ANSWERS)('philox4x32-10 of $counter under $key', ({ counter, key, words }) => {
  const out = new Uint32Array(4);
  philox4x32(counter, key, out);
  expect([...out].map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(words);
});

test('words land at the offset, and the rest of the array stays', () => {
  const out = new Uint32Array(12).fill(7);
  philox4x32([0, 0, 0, 0], [0, 0], out, 4);
  expect([...out]).toEqual([7, 7, 7, 7, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8, 7, 7, 7, 7]);
});
