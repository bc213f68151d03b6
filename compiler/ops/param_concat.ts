// Joins parameters along their first axis, so that several products with one operand become one.

import { NO_MACS, type OpDef } from './op.ts';
import { demand, demandFloat, formatType, sameShape } from './operands.ts';

export const param_concat: OpDef<'param_concat'> = {
  infer(inputs) {
    const [first] = inputs;
    demand(
      first !== undefined && first.shape.length > 0,
      'param_concat',
      () => 'takes at least one parameter',
    );
    demandFloat('param_concat', 'parameter', first);
    const inner = first.shape.slice(1);
    let rows = 0;
    for (const p of inputs) {
      demand(
        p.dtype === first.dtype &&
          sameShape(p.shape.slice(1), inner) &&
          p.shape.length === first.shape.length,
        'param_concat',
        () => `${formatType(p)} and ${formatType(first)} differ in more than their first axis`,
      );
      rows += p.shape[0]!;
    }
    return { dtype: first.dtype, shape: [rows, ...inner] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs) {
    const rows = inputs.reduce((n, p) => n + p.shape[0]!, 0);
    const data = new Float64Array(inputs.reduce((n, p) => n + p.data.length, 0));
    let at = 0;
    for (const p of inputs) {
      data.set(p.data, at);
      at += p.data.length;
    }
    return { shape: [rows, ...inputs[0]!.shape.slice(1)], data };
  },
};
