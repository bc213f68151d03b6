// The ops without operands: model inputs and parameters. The executor supplies their values.

import { InternalError } from '../diagnostics.ts';
import { NO_MACS, type OpDef } from './op.ts';
import { demand, formatType, nullary } from './operands.ts';

/** Names of ports: those that a manifest can have. */
const NAME = /^[A-Za-z]\w*(\.\w+)*$/;

export const input: OpDef<'input'> = {
  infer(inputs, { name, type }) {
    nullary('input', inputs);
    demand(NAME.test(name), 'input', () => `${JSON.stringify(name)} is no name of an input`);
    demand(type.shape.length >= 1, 'input', () => `${name} has no sizes; the first is the batch`);
    demand(
      type.dtype !== 'u32' || type.shape.length <= 2,
      'input',
      () =>
        `${name} cannot be ${formatType(type)}: whole numbers are one or a row a sample, [batch] or [batch, n]`,
    );
    return type;
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(_inputs, { name }) {
    throw new InternalError(`input: the executor supplies the value of ${name}`);
  },
};

/** Parameters are float32 in every checkpoint; a narrower copy is made by `cast`. */
export const param: OpDef<'param'> = {
  infer(inputs, { shape }) {
    nullary('param', inputs);
    return { dtype: 'f32', shape };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(_inputs, { name }) {
    throw new InternalError(`param: the executor supplies the value of ${name}`);
  },
};
