// Which block and layer of one graph is which of another: by role and structure first, by names not at all.

import type { Block, Graph, PlacedLayer } from '../graph/graph.ts';
import type { LayerType } from '../layers/index.ts';
import { layerKey } from '../layers/queries.ts';
import { align } from './align.ts';
import { type Role, rolesOf } from './roles.ts';

export interface LayerPair {
  readonly a: PlacedLayer | null;
  readonly b: PlacedLayer | null;
  /** Role in the new graph, or where it is gone in the old one. */
  readonly role: Role;
}

export interface BlockPair {
  readonly a: Block | null;
  readonly b: Block | null;
  readonly layers: readonly LayerPair[];
}

/** Every block and layer of both graphs, each once, in the order of computation. */
export function matchGraphs(a: Graph, b: Graph): readonly BlockPair[] {
  const roles = { a: rolesOf(a), b: rolesOf(b) };
  const parts = ['input', 'middle', 'output'] as const;
  return parts.flatMap((part) => {
    const [from, to] = [a, b].map((g) => g.blocks.filter((block) => block.role === part)) as [
      Block[],
      Block[],
    ];
    return matchBlocks(from, to, roles);
  });
}

interface Roles {
  readonly a: ReadonlyMap<string, Role>;
  readonly b: ReadonlyMap<string, Role>;
}

/** A layer as it is compared: its text, its type, its role. */
interface Item {
  readonly type: LayerType;
  readonly text: string;
  readonly role: Role;
}

function matchBlocks(a: readonly Block[], b: readonly Block[], roles: Roles): readonly BlockPair[] {
  const items = (blocks: readonly Block[], of: ReadonlyMap<string, Role>) =>
    blocks.map((block) => {
      const list = block.layers.map(({ layer, path }): Item => {
        return { type: layer.type, text: layerKey(layer), role: of.get(path)! };
      });
      return { list, key: JSON.stringify(list.map(({ text, role }) => [text, role.level])) };
    });
  const [from, to] = [items(a, roles.a), items(b, roles.b)];
  const known = new Map<string, Map<string, number>>();
  const score = (i: number, j: number): number => {
    const [x, y] = [from[i]!, to[j]!];
    const row = known.get(x.key) ?? new Map<string, number>();
    known.set(x.key, row);
    let alike = row.get(y.key);
    if (alike === undefined) {
      alike = alikeness(x.list, y.list);
      row.set(y.key, alike);
    }
    const same = x.list[0]!.role.name === y.list[0]!.role.name;
    return alike > 0 && same ? alike + SAME_ROLE : alike;
  };
  return align(a.length, b.length, score).map(({ a: i, b: j }) => {
    const [x, y] = [i === null ? null : a[i]!, j === null ? null : b[j]!];
    return {
      a: x,
      b: y,
      layers: matchLayers(x, y, i === null ? [] : from[i]!.list, j === null ? [] : to[j]!.list),
    };
  });
}

function matchLayers(
  a: Block | null,
  b: Block | null,
  from: readonly Item[],
  to: readonly Item[],
): readonly LayerPair[] {
  return align(from.length, to.length, (i, j) => layerScore(from[i]!, to[j]!)).map(({ a: i, b: j }) => ({
    a: i === null ? null : a!.layers[i]!,
    b: j === null ? null : b!.layers[j]!,
    role: j === null ? from[i!]!.role : to[j]!.role,
  }));
}

/** What equal layers, layers of one type, one level, and one role count; what is equal always wins over what is near. */
const EQUAL = 8;
const SAME_TYPE = 2;
const SAME_LEVEL = 1;
const SAME_ROLE = 0.5;

function layerAlikeness(a: Item, b: Item): number {
  if (a.type !== b.type) return 0;
  return (a.text === b.text ? EQUAL : SAME_TYPE) + (a.role.level === b.role.level ? SAME_LEVEL : 0);
}

/** Within a block the role decides between layers that are alike. */
function layerScore(a: Item, b: Item): number {
  const alike = layerAlikeness(a, b);
  return alike > 0 && a.role.name === b.role.name ? alike + SAME_ROLE : alike;
}

/** The score of two blocks: that of their layers in the best order. */
function alikeness(a: readonly Item[], b: readonly Item[]): number {
  const pairs = align(a.length, b.length, (i, j) => layerAlikeness(a[i]!, b[j]!));
  return pairs.reduce((sum, { a: i, b: j }) => {
    return i === null || j === null ? sum : sum + layerAlikeness(a[i]!, b[j]!);
  }, 0);
}
