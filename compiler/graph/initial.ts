// How PyTorch initialises the parameters of a graph, and which modules the original sets to zero. Convolutions and linear
// layers: weight and bias uniform within 1 / sqrt(fan_in), as kaiming_uniform_(a = sqrt(5)) comes to (torch.nn.Linear and
// _ConvNd, reset_parameters); embeddings standard normal; norms 1 and 0. A transposed convolution counts its output channels
// as fan_in, as torch.nn.init does.

import { InternalError } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { sizeOf } from '../ops/op.ts';
import type { Graph } from './graph.ts';
import { lowerGraph } from './lower.ts';
import { type GraphModule, headModule, layerModule } from './modules.ts';
import { type Parameter, parameters } from './parameters.ts';

export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  /** Between -bound and bound. */
  | { readonly kind: 'uniform'; readonly bound: number }
  /** Of mean 0. */
  | { readonly kind: 'normal'; readonly deviation: number };

export interface InitialParameter extends Parameter {
  readonly distribution: Distribution;
}

const ZERO: Distribution = { kind: 'constant', value: 0 };

/** Every parameter in checkpoint order with what it is drawn from. */
export function initialParameters(graph: Graph): readonly InitialParameter[] {
  const ops = lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' });
  const zeroed = zeroedParameters(graph);
  const known = new Map(
    ops.nodes.flatMap((node, id) =>
      node.op === 'param' ? [[node.attrs.name, usualOf(ops, id)] as const] : [],
    ),
  );
  return parameters(graph).map((parameter) => {
    const usual = known.get(parameter.name);
    if (usual === undefined) throw new InternalError(`no op reads the parameter ${parameter.name}`);
    return { ...parameter, distribution: zeroed.has(parameter.name) ? ZERO : usual };
  });
}

/**
 * The last convolution of each residual block and of the head, and the projection of each attention, in improved-diffusion and
 * guided-diffusion (zero_module), where a pool's convolution is one of them; diffusers sets none to zero.
 */
function zeroedParameters(graph: Graph): ReadonlySet<string> {
  if (graph.naming === 'diffusers') return new Set();
  const of = ({ parameters: all }: GraphModule, part: string) =>
    all.flatMap(({ key, name }) => (key.startsWith(`${part}.`) ? [name] : []));
  const ofLayers = graph.blocks.flatMap(({ layers }) =>
    layers.flatMap((placed) => {
      const { type } = placed.layer;
      if (type === 'res_block') return of(layerModule(graph, placed), 'conv2');
      return type === 'attention' ? of(layerModule(graph, placed), 'proj') : [];
    }),
  );
  return new Set([...ofLayers, ...of(headModule(graph), 'conv')]);
}

/** What a parameter is drawn from by the op that reads it. */
function usualOf(ops: OpGraph, param: number): Distribution {
  const reader = ops.nodes.findIndex(({ inputs }) => inputs.includes(param));
  const node = ops.nodes[reader];
  if (node === undefined) throw new InternalError(`nothing reads parameter %${param}`);
  switch (node.op) {
    case 'reshape':
    case 'cast':
    case 'param_concat':
      return usualOf(ops, reader);
    case 'conv':
    case 'conv_transpose':
    case 'linear': {
      const [, ...perOutput] = ops.nodes[node.inputs[1]!]!.type.shape;
      return { kind: 'uniform', bound: 1 / Math.sqrt(sizeOf(perOutput)) };
    }
    case 'embedding':
      return { kind: 'normal', deviation: 1 };
    case 'group_norm':
      return { kind: 'constant', value: node.inputs[1] === param ? 1 : 0 };
    case 'position_add': {
      const [channels] = node.type.shape.slice(1);
      return { kind: 'normal', deviation: 1 / Math.sqrt(channels!) };
    }
    default:
      throw new InternalError(`%${param} is read by ${node.op}, whose parameters have no initial values`);
  }
}
