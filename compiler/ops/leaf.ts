// The ops without operands: model inputs and parameters. The executor supplies their values.

import { InternalError } from '../diagnostics.ts';
import { NO_MACS, type OpDef } from './op.ts';
import { demand, nullary } from './operands.ts';

export const input: OpDef<'input'> = {
  infer(inputs, { name, type }) {
    nullary('input', inputs);
    demand(
      (name === 'y') === (type.dtype === 'u32'),
      'input',
      () => `${name} cannot be ${type.dtype}: labels are u32, everything else is a float`,
    );
    const rankFits = name === 'y' || name === 'timesteps' ? type.shape.length === 1 : type.shape.length >= 3;
    demand(rankFits, 'input', () => `${name} cannot have the shape [${type.shape.join(',')}]`);
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
