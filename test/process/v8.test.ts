// How V8 is set up: by flags that this version of it has, since it prints what it does not know.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { laterFlag } from '../../cli/v8.ts';

test.each(['--semi-space-growth-factor=1', laterFlag(process.versions.node) ?? []].flat())(
  'this version of Node knows %s',
  (flag) => {
    const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
    expect(options).toMatch(new RegExp(`^  ${flag.split('=')[0]} \\(`, 'm'));
  },
);

test('a version that is not known keeps its defaults', () => {
  expect(laterFlag('20.19.0')).toMatch(/^--interrupt-budget=\d+$/);
  expect(laterFlag('22.12.0')).toMatch(/^--invocation-count-for-turbofan=\d+$/);
  expect(laterFlag('2.0.0')).toBeNull();
  expect(laterFlag('26.0.0')).toBeNull();
});
