// Resources: what stands in a buffer or a texture while it is alive, by what it is and of which value, with its name in memory
// plans and its words in messages.

import type { Home } from './schedule.ts';

export type Resource =
  /** A value of the graph, as it stands; `half` where it is float16 in the order of texels. */
  | { readonly kind: 'value'; readonly value: number; readonly home: Home; readonly half?: boolean }
  /** Statistics of a value: those of its tiles, or the merged ones. */
  | { readonly kind: 'statistics'; readonly value: number; readonly merged: boolean }
  /** The scale and shift that a norm or FiLM comes to, named by its node. */
  | { readonly kind: 'affine'; readonly node: number }
  /** Winograd's planes of the input of the convolution that computes a value, and of its products; of a weight's gradient, of the cotangent. */
  | { readonly kind: 'input_planes'; readonly value: number; readonly home: Home }
  | { readonly kind: 'output_planes'; readonly value: number }
  | { readonly kind: 'cotangent_planes'; readonly value: number }
  /** What stands in a texture, as dispatches write it: in a buffer. */
  | { readonly kind: 'staged'; readonly of: Resource }
  /** The same of packed weights in training, one dispatch's after the other's. */
  | { readonly kind: 'staged_weights' }
  /** What the first half of attention's gradient, which computes a value, tells the other half of each query. */
  | { readonly kind: 'attention_rows'; readonly value: number }
  /** The parts of a sum that are computed apart, and added up to a value: over samples and positions, or of an inner dimension. */
  | { readonly kind: 'parts'; readonly value: number }
  /** In training, weights that are packed just before a group reads them: the index of the group, and which of its weights. */
  | { readonly kind: 'group_weights'; readonly group: number; readonly part: number; readonly home: Home }
  /** An arena of gradients, and of their sums over microbatches. */
  | { readonly kind: 'gradients' | 'gradient_sums'; readonly arena: number }
  /** An arena of what lives from step to step: parameters, their moments and moving averages. */
  | { readonly kind: 'trained'; readonly arena: number }
  /** An arena of parameters that stay. */
  | { readonly kind: 'still'; readonly arena: number }
  /** A parameter in training, by its name. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** The numbers by which a step changes parameters, sums of squares of all gradients, and what gradients are multiplied by. */
  | { readonly kind: 'step_settings' }
  | { readonly kind: 'square_sums' }
  | { readonly kind: 'gradient_scale' };

type ResourceKind = Resource['kind'];
type ResourceOf<K extends ResourceKind> = Extract<Resource, { kind: K }>;

interface ResourceDef<K extends ResourceKind> {
  readonly home: (resource: ResourceOf<K>) => Home;
  /** Its name in memory plans, such as `v12`. */
  readonly name: (resource: ResourceOf<K>) => string;
  /** What it is, for messages. */
  readonly words: (resource: ResourceOf<K>) => string;
}

const RESOURCES: { readonly [K in ResourceKind]: ResourceDef<K> } = {
  value: {
    home: ({ home, half = false }) => (half ? 'buffer' : home),
    name: ({ value, home }) => `${home === 'texture' ? 'x' : 'v'}${value}`,
    words: ({ value, home, half = false }) =>
      `%${value} in a ${half ? 'buffer, in the order of texels' : home}`,
  },
  statistics: {
    home: () => 'buffer',
    name: ({ value, merged }) => `${merged ? 'm' : 's'}${value}`,
    words: ({ value, merged }) => `${merged ? 'merged ' : ''}statistics of %${value}`,
  },
  affine: {
    home: () => 'texture',
    name: ({ node }) => `a${node}`,
    words: ({ node }) => `scale and shift of %${node}`,
  },
  input_planes: {
    home: ({ home }) => home,
    name: ({ value }) => `t${value}`,
    words: ({ value }) => `transformed input of %${value}`,
  },
  output_planes: {
    home: () => 'buffer',
    name: ({ value }) => `p${value}`,
    words: ({ value }) => `products of %${value}`,
  },
  cotangent_planes: {
    home: () => 'texture',
    name: ({ value }) => `q${value}`,
    words: ({ value }) => `transformed cotangent of %${value}`,
  },
  staged: {
    home: () => 'buffer',
    name: ({ of }) => `b${resourceName(of)}`,
    words: ({ of }) => `${resourceWords(of)}, as it is written`,
  },
  staged_weights: {
    home: () => 'buffer',
    name: () => 'staged_weights',
    words: () => 'packed weights, as they are written',
  },
  attention_rows: {
    home: () => 'buffer',
    name: ({ value }) => `r${value}`,
    words: ({ value }) => `softmax of the queries of %${value}`,
  },
  parts: {
    home: () => 'buffer',
    name: ({ value }) => `w${value}`,
    words: ({ value }) => `parts of %${value}`,
  },
  group_weights: {
    home: ({ home }) => home,
    name: ({ group, part }) => `k${group}.${part}`,
    words: ({ group }) => `weights of group ${group}`,
  },
  gradients: {
    home: () => 'buffer',
    name: ({ arena }) => `gradients.${arena}`,
    words: ({ arena }) => `gradients of arena ${arena}`,
  },
  gradient_sums: {
    home: () => 'buffer',
    name: ({ arena }) => `gradient_sums.${arena}`,
    words: ({ arena }) => `sums of the gradients of arena ${arena}`,
  },
  trained: {
    home: () => 'buffer',
    name: ({ arena }) => `trained.${arena}`,
    words: ({ arena }) => `parameters and moments of arena ${arena}`,
  },
  still: {
    home: () => 'buffer',
    name: ({ arena }) => `still.${arena}`,
    words: ({ arena }) => `frozen parameters of arena ${arena}`,
  },
  parameter: {
    home: () => 'buffer',
    name: ({ name }) => `parameter.${name}`,
    words: ({ name }) => `parameter ${name}`,
  },
  step_settings: { home: () => 'buffer', name: () => 'step_settings', words: () => 'settings of the step' },
  square_sums: { home: () => 'buffer', name: () => 'square_sums', words: () => 'sums of squares' },
  gradient_scale: {
    home: () => 'buffer',
    name: () => 'gradient_scale',
    words: () => 'what gradients are multiplied by',
  },
};

function defOf<K extends ResourceKind>({ kind }: { readonly kind: K }): ResourceDef<K> {
  return RESOURCES[kind];
}

/** Whether a resource is a buffer or a texture. */
export function homeOfResource(resource: Resource): Home {
  return defOf(resource).home(resource);
}

/**
 * The name of a resource, the same for equal ones: `v12` a value in a buffer, `x12` one in a texture or as texels stand, `s12` its
 * statistics, `m12` its merged statistics, `a12` the scale and shift that norm or FiLM 12 comes to, `t12` and `p12` the
 * planes of input and products of the convolution that computes value 12 by Winograd's algorithm, `q12` those of the
 * cotangent where 12 is the gradient of a weight, `r12` the softmax of the queries whose attention has the gradient 12, `w12`
 * the parts that the sum 12 is computed in, `k12.0` the first weights that are packed for group 12, `bx12` what becomes `x12`.
 * What training keeps has its words: `trained.0`, `parameter.out.2.weight`.
 */
export function resourceName(resource: Resource): string {
  return defOf(resource).name(resource);
}

/**
 * What dispatches write of a resource: of one in a texture a buffer, in which every vector has the place of its texel, and
 * which is copied into the texture. Drivers of processors take six times as long to store a texel as a vector.
 */
export function writtenAs(resource: Resource): Resource {
  return homeOfResource(resource) === 'texture' ? { kind: 'staged', of: resource } : resource;
}

/** What a resource is, in words. */
export function resourceWords(resource: Resource): string {
  return defOf(resource).words(resource);
}

/** A value channels-last in a buffer, or as it is said to stand; `half` is whether it is float16. */
export function valueIn(value: number, home: Home = 'buffer', half = false): Resource {
  return { kind: 'value', value, home, ...(half && home === 'texture' ? { half } : {}) };
}
