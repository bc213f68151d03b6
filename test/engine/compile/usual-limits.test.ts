// A bundle that is to run everywhere says where it does not.

import { expect, test } from 'vitest';
import { limitWarnings } from '../../../engine/compile/usual-limits.ts';

const MIB = 2 ** 20;
const asking = (target: string, bytes: number) =>
  limitWarnings({
    target,
    requires: { features: [], limits: { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes } },
  });

test('generic is within what WebGPU grants everywhere, or says what it asks for', () => {
  expect(asking('generic', 128 * MIB)).toEqual([]);
  const [warning, ...others] = asking('generic', 140 * MIB);
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ severity: 'warning', code: 'G022', pointer: '/image_size' });
  expect(warning!.message).toContain(`maxStorageBufferBindingSize ${140 * MIB} (everywhere: ${128 * MIB})`);
  expect(warning!.message).not.toContain('maxBufferSize');
  expect(asking('software', 140 * MIB)).toEqual([]);
});
