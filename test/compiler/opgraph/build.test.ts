import { describe, expect, it } from 'vitest';
import { InternalError } from '../../../compiler/diagnostics.ts';
import { createOpGraphBuilder } from '../../../compiler/opgraph/build.ts';

describe('createOpGraphBuilder', () => {
  it('infers types and gives ids in order', () => {
    const b = createOpGraphBuilder();
    const x = b.add('input', [], { name: 'x', type: { dtype: 'f16', shape: [1, 4, 6] } }, 'x');
    const pooled = b.add('avg_pool', [x], { kernel: [2] }, 'input_blocks.1.0');
    expect([x, pooled]).toEqual([0, 1]);
    expect(b.typeOf(pooled)).toEqual({ dtype: 'f16', shape: [1, 4, 3] });
    const graph = b.finish([{ name: 'output', value: pooled }]);
    b.add('silu', [pooled], {}, '');
    expect(graph.nodes.map((node) => node.op)).toEqual(['input', 'avg_pool']);
  });

  it('names the node and its path where operands do not fit or are not there', () => {
    const b = createOpGraphBuilder();
    const x = b.add('input', [], { name: 'x', type: { dtype: 'f32', shape: [1, 4, 6] } }, 'x');
    const misfit = () =>
      b.add('add', [x, b.add('avg_pool', [x], { kernel: [2] }, 'a')], {}, 'middle_block.0');
    expect(misfit).toThrow(InternalError);
    expect(misfit).toThrow(/^internal: %\d \(middle_block\.0\): add: operands must be of one type/);
    expect(() => b.add('silu', [9], {}, '')).toThrow('internal: %9 does not exist');
  });
});
