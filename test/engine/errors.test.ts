// Errors that name options: one message, spelled as the API writes them and as the command line does.

import { expect, test } from 'vitest';
import { describeFailure } from '../../cli/exit.ts';
import { OptionError, spelled, UsageError } from '../../engine/errors.ts';
import { RuntimeError } from '../../runtime/errors.ts';

const words = (option: (name: string) => string) =>
  `${option('null_class')}: found 3; see ${option('batch')}`;

test('the message has the names of the API', () => {
  expect(new UsageError(words).message).toBe('null_class: found 3; see batch');
  expect(new OptionError('input', words).message).toBe('null_class: found 3; see batch');
});

test('the command line writes its dashes', () => {
  const message = '--null-class: found 3; see --batch';
  expect(describeFailure(new UsageError(words))).toEqual({ kind: 'usage', exit: 2, message });
  expect(describeFailure(new OptionError('input', words))).toEqual({ kind: 'input', exit: 5, message });
});

test('an error that names no option is as it is', () => {
  expect(spelled(new UsageError('two sides'), (name) => `<${name}>`)).toBe('two sides');
  expect(spelled(new RuntimeError('gpu', 'lost'), (name) => `<${name}>`)).toBe('lost');
});
