// What every stage asks of a layer, whatever its type.

import { invariant } from '../diagnostics.ts';
import { type Fact, type FactOf, factsOf } from './fact.ts';
import { type Layer, layerDef, type WrittenLayer } from './index.ts';
import { resampleFactors } from './resample.ts';

/** A layer with the defaults of all that is not said. Throws InternalError where a value is beyond its limits. */
export function newLayer(written: WrittenLayer): Layer {
  const layer = soundLayer(written);
  invariant(layer, () => `no layer can be ${JSON.stringify(written)}`);
  return layer;
}

/** The same; null where a value is beyond its limits. */
export function soundLayer(written: WrittenLayer): Layer | null {
  return layerDef(written.type).schema.safeParse(written).data ?? null;
}

/** Channels that a layer takes. */
export function layerInChannels(layer: Layer): number {
  return channelsAt(layer, layerDef(layer.type).channels.in);
}

/** Channels that a layer gives. */
export function layerOutChannels(layer: Layer): number {
  return channelsAt(layer, layerDef(layer.type).channels.out);
}

/** The value of a key that holds channels. */
export function channelsAt(layer: Layer, key: string): number {
  return (layer as unknown as Readonly<Record<string, number>>)[key]!;
}

/** Levels that a layer goes down: 1 halves the size, -1 doubles it. */
export function layerLevels(layer: Layer): -1 | 0 | 1 {
  return layerDef(layer.type).levels(layer);
}

/** Levels that layers go down and do not come up again. */
export function levelsDown(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => sum + Math.max(0, layerLevels(layer)), 0);
}

/** Whether downsampling and upsampling change a dimension of so many: all but the depth of 3D. */
export function isResampled(dims: number, axis: number): boolean {
  return resampleFactors(dims as 1 | 2 | 3)[axis] === 2;
}

/** One resampled dimension after a layer. */
export function resample(layer: Layer, n: number): number {
  return layerDef(layer.type).size(layer, n);
}

/** Size of a layer's output, dimension by dimension. */
export function layerOutSize(layer: Layer, size: readonly number[]): readonly number[] {
  return size.map((n, axis) => (isResampled(size.length, axis) ? resample(layer, n) : n));
}

/** What its options mean. */
export function layerFacts(layer: Layer): readonly FactOf[] {
  return factsOf(layer, layerDef(layer.type).facts);
}

/** A layer without its place: `res_block 128 -> 256 film dropout 0.3 skip conv1x1`; options that `shown` refuses are left out. */
export function printLayer(layer: Layer, shown: (fact: Fact) => boolean = () => true): string {
  const def = layerDef(layer.type);
  const [from, to] = [layerInChannels(layer), layerOutChannels(layer)];
  const channels = def.channels.in === def.channels.out ? `${from}` : `${from} -> ${to}`;
  const options = layerFacts(layer)
    .filter(({ field, fact }) => shown(fact) && isSpelled(layer, field))
    .map(({ printed }) => printed);
  return [layer.type, channels, ...options].filter((word) => word !== '').join(' ');
}

/** The layer's type and channels, and its options but those of training, as text: equal where layers compute the same. */
export function layerKey(layer: Layer): string {
  const facts = layerFacts(layer).filter(({ fact }) => fact.changes !== 'training');
  return JSON.stringify([
    layer.type,
    layerInChannels(layer),
    layerOutChannels(layer),
    facts.map(({ text }) => text),
  ]);
}

/** The layer as a file of the explicit form has it: keys in the format's order, without the defaults that need no word. */
export function writtenLayer<L extends Layer>(layer: L): L {
  const keys = Object.keys(layerDef(layer.type).fields).filter((key) => isSpelled(layer, key));
  return Object.fromEntries(keys.map((key) => [key, layer[key as keyof L]])) as unknown as L;
}

/** Whether a key is always written, or has another value than its default. */
function isSpelled(layer: Layer, key: string): boolean {
  const def = layerDef(layer.type);
  if (def.spelled.some((one) => one === key)) return true;
  const value = (layer as unknown as Readonly<Record<string, unknown>>)[key];
  return JSON.stringify(value) !== JSON.stringify(def.fields[key]?.safeParse(undefined).data);
}
