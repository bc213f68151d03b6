// A layer that gives what it is given: the middle block of a model that has none.

import { z } from 'zod';
import { layerChannels, strict } from '../format/fields.ts';
import { type LayerDef, plain } from './layer.ts';

const fields = {
  type: z.literal('identity'),
  channels: layerChannels('Channels that arrive and leave.'),
};
const schema = strict(fields).describe(
  'Gives what it is given: for the middle block of a model that has none.',
);

export type IdentityLayer = Readonly<z.output<typeof schema>>;

export const identity = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'channels'],
  channels: { in: 'channels', out: 'channels' },
  parameters: () => [],
  lower: (_layer, _at, x) => x,
  inert: () => true,
  facts: {},
  role: () => 'identity',
  label: () => 'nothing',
  read: () => null,
} as const satisfies LayerDef<IdentityLayer, never, z.input<typeof schema>>;
