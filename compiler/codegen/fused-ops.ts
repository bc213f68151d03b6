// The code of fused ops: how a group loads its sources and what it does to a quad it has loaded, a line an op.
// Products and maps share it. The norm's affine and FiLM's become one scale and one shift of a channel.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { type PrologueStages, stagesOf } from '../schedule/prologue.ts';
import type { FusedOp, Home, PrologueGroup, ScheduledConv } from '../schedule/schedule.ts';
import { extentOf, isHalf } from '../schedule/values.ts';
import { activationLines } from './activations.ts';
import {
  type Extra,
  type Fragment,
  fragmentOf,
  joinFragments,
  readBuffer,
  standing,
  value,
} from './fragment.ts';
import { maskLine, takeMask } from './masks.ts';
import { normFragment } from './norm-groups.ts';
import type { WeightsBuilder } from './weights.ts';
import { quadsAs, readQuad, readTexel } from './wgsl/packing.ts';
import type { FragmentFile } from './wgsl/source.ts';

/** What a convolution does to write the statistics of its result, when a norm reads it. */
export function writeStatistics(group: ScheduledConv, file: FragmentFile): Fragment {
  if (!group.writes) return joinFragments();
  const resource = { kind: 'statistics', value: group.result, merged: false } as const;
  const buffer = { name: 'statistics', type: 'array<vec4f>', access: 'read_write', resource } as const;
  const { hooks, functions } = fragmentOf(file);
  const own = functions.length > 0 ? [...functions, ''] : [];
  return { hooks, functions: own, extra: [buffer], sizes: {} };
}

/** A value that hooks read where it stands, as it is stored. */
export function readValue(graph: OpGraph, name: string, id: number, home: Home): Extra {
  const half = isHalf(graph, id);
  const type = home === 'texture' && !half ? 'texture' : quadsAs(half);
  return readBuffer(name, standing(graph, id, home), type);
}

/**
 * The main input of a group: its sources as if they were one, and where its prologue has a dropout's mask, which channels of
 * the loaded quad are kept; `pixels` is an expression for the pixels of a sample of the sources.
 */
export function loadInput(graph: OpGraph, group: PrologueGroup, pixels: string, packed = false): Fragment {
  const loaded = loadSources(graph, group.sources, 'load_input', group.home, packed);
  const { mask } = prologueStages(graph, group);
  if (!mask) return loaded;
  const row = '(sample * (sizes.quads0 + sizes.quads1) + quad)';
  const pixel = group.home === 'texture' ? 'pixel' : `pixel - sample * (${pixels})`;
  const take = takeMask(mask, `${row} * (${pixels}) + ${pixel}`);
  const load_input = [take.line, ...bodyOf(loaded, 'load_input')];
  return joinFragments(loaded, take.fragment, { ...joinFragments(), hooks: { load_input } });
}

function bodyOf({ hooks }: Fragment, name: string): readonly string[] {
  const body = hooks[name];
  invariant(body !== undefined && !('lines' in body), `${name} is no short hook`);
  return body;
}

/**
 * Loads quads of one or two sources as if they were one; `hook` is `load_input` or `load_skip`. In a buffer `pixel`
 * counts over the samples, in the order of texels over one of them. `packed` leaves quads as they are stored in float16.
 */
export function loadSources(
  graph: OpGraph,
  sources: readonly number[],
  hook: 'load_input' | 'load_skip',
  home: Home,
  packed = false,
): Fragment {
  const skip = hook === 'load_skip' ? 'skip_' : '';
  const pixels = hook === 'load_skip' ? 'sizes.pixels' : 'sizes.in_pixels';
  const load = (i: number, quad: string) => {
    const quads = `sizes.${skip}quads${i}`;
    const name = `${skip}source${i}`;
    const half = isHalf(graph, sources[i]!);
    if (home === 'texture') return readTexel(name, `(sample * ${quads} + ${quad}) * ${pixels} + pixel`, half);
    const at = `pixel * ${quads} + ${quad}`;
    if (packed) return half ? `${name}[${at}]` : `pack_quad(${name}[${at}])`;
    return readQuad(name, at, half);
  };
  const [first, second] = sources;
  const body =
    second === undefined
      ? [`return ${load(0, 'quad')};`]
      : [
          `if (quad < sizes.${skip}quads0) { return ${load(0, 'quad')}; } // concat`,
          `return ${load(1, `(quad - sizes.${skip}quads0)`)};`,
        ];
  return {
    hooks: { [hook]: body },
    functions: [],
    extra: sources.map((id, i) => readValue(graph, `${skip}source${i}`, id, home)),
    sizes: {
      [`${skip}quads0`]: extentOf(graph, first!).quads,
      [`${skip}quads1`]: second === undefined ? 0 : extentOf(graph, second).quads,
    },
  };
}

/** What a group's prologue needs: the scale and shift of norm and FiLM, if it has them, and what follows them. */
export interface Prologue extends Fragment {
  /** Whether `affine_of(sample, quad)` exists. */
  readonly affine: boolean;
  /** The lines behind them: of an activation function and a mask, which is that of the quad that was loaded last. */
  readonly tail: readonly string[];
}

/**
 * The body of a hook `prologue`: `loaded` is the quad in float32, `affine` its channels' scale and shift as
 * expressions, `tail` what follows them, `result` what is returned. Empty where nothing is done to a loaded quad.
 */
export function prologueLines(
  affine: readonly [scale: string, shift: string] | null,
  tail: readonly string[],
  { loaded = 'loaded', result = 'v' } = {},
): readonly string[] {
  const lines = [...(affine ? [`v = v * ${affine[0]} + ${affine[1]}; // norm and film`] : []), ...tail];
  return lines.length === 0 ? [] : [`var v = ${loaded};`, ...lines, `return ${result};`];
}

/**
 * What is done to a loaded quad where a group before has computed scale and shift of its channels, of which there are
 * `quads` quads.
 */
export function affinePrologue(graph: OpGraph, group: PrologueGroup, quads: string): Fragment {
  const tail = tailLines(graph, prologueStages(graph, group));
  const prologue = prologueLines(group.affine ? ['scale', 'shift'] : null, tail);
  if (prologue.length === 0) return joinFragments();
  if (!group.affine) return { hooks: { prologue }, functions: [], extra: [], sizes: {} };
  return {
    hooks: {
      prepare_quad: [
        `let affine_at = (sample * ${quads} + quad) * 2u;`,
        'scale = textureLoad(affine, texel(affine_at));',
        'shift = textureLoad(affine, texel(affine_at + 1u));',
      ],
      prologue,
    },
    functions: ['var<private> scale: vec4f;', 'var<private> shift: vec4f;'],
    extra: [readBuffer('affine', { kind: 'affine', node: group.prologue[0]!.node }, 'texture')],
    sizes: {},
  };
}

/** `threads` of the workgroup prepare a sample together. */
export function prologueOf(
  graph: OpGraph,
  group: PrologueGroup,
  weights: WeightsBuilder,
  threads = 64,
): Prologue {
  const stages = prologueStages(graph, group);
  const { norm, film } = stages;
  // the shifts follow the scales: they have to begin at a quad of their own
  invariant(
    !film || graph.nodes[film.node]!.type.shape[1]! % 4 === 0,
    'film of channels that do not fill quads',
  );
  const parts: Fragment[] = [];
  const normed = norm && normFragment(graph, group, weights, threads);
  if (normed) parts.push(normed);
  if (film) parts.push(embedFragment(graph, film));
  if (norm || film)
    parts.push({
      hooks: {},
      functions: affineFunction(normed?.affine ?? null, film !== null),
      extra: [],
      sizes: {},
    });
  return { ...joinFragments(...parts), affine: parts.length > 0, tail: tailLines(graph, stages) };
}

function tailLines(graph: OpGraph, { activation, mask }: PrologueStages): readonly string[] {
  return [...activationLines(activation), ...(mask ? [maskLine(graph, mask)] : [])];
}

/** The stages of a group's prologue, which fusions have seen to be one that kernels have code for. */
function prologueStages(graph: OpGraph, { anchor, prologue }: PrologueGroup): PrologueStages {
  const stages = stagesOf(graph, prologue);
  const names = () => prologue.map((op) => graph.nodes[op.node]!.op).join(', ');
  invariant(stages, () => `no code for the prologue ${names()} of %${anchor}`);
  return stages;
}

/** Time projections in a buffer called `embed`, from the layer's first channel on. */
export function embedFragment(graph: OpGraph, op: FusedOp, type: Extra['type'] = 'array<vec4f>'): Fragment {
  const { value: id, start } = op.operand!;
  invariant(start % 4 === 0, `the time projection of %${op.node} begins inside a quad`);
  const sizes = { embed_quads: extentOf(graph, id).quads, embed_at: start / 4 };
  return { hooks: {}, functions: [], extra: [readBuffer('embed', value(id), type)], sizes };
}

/** `norm` are the lines that give the norm's `scale` and `shift`, null where FiLM is applied to what is loaded. */
function affineFunction(norm: readonly string[] | null, film: boolean): readonly string[] {
  return [
    '// scale and shift of the channels of a quad',
    'struct Affine { scale: vec4f, shift: vec4f }',
    '',
    'fn affine_of(sample: u32, quad: u32) -> Affine {',
    ...(norm
      ? ['// group_norm', ...norm].map((line) => `  ${line}`)
      : ['  var scale = vec4f(1.0);', '  var shift = vec4f(0.0);']),
    ...(film
      ? [
          '  // film',
          '  let film_at = sample * sizes.embed_quads + sizes.embed_at + quad;',
          '  let film_scale = 1.0 + embed[film_at];',
          '  shift = shift * film_scale + embed[film_at + sizes.quads0 + sizes.quads1];',
          '  scale *= film_scale;',
        ]
      : []),
    '  return Affine(scale, shift);',
    '}',
  ];
}
