// Things that are closed together.

import { expect, test } from 'vitest';
import { closeEach } from '../../runtime/bytes.ts';

test('all are closed, whichever of them throws, and the first fault is told', () => {
  const closed: string[] = [];
  const closing = (name: string, message?: string) => ({
    close() {
      closed.push(name);
      if (message !== undefined) throw new Error(message);
    },
  });
  closeEach([]);
  expect(() => closeEach([closing('a'), closing('b', 'first'), closing('c', 'second')])).toThrow('first');
  expect(closed).toEqual(['a', 'b', 'c']);
});
