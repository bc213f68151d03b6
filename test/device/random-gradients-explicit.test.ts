// Losses and gradients of arbitrary graphs in the explicit form and of diffusers, as random-gradients.ts says.

import { describe } from 'vitest';
import { arbitraryExplicitGraph } from '../arbitrary-explicit-graph.ts';
import { unet2dGraphUpTo } from '../arbitrary-unet-2d-graph.ts';
import { testGradients } from '../random-gradients.ts';
import { graphs } from '../random-graphs.ts';

describe('graphs of the explicit form', () => testGradients(arbitraryExplicitGraph, Math.ceil(graphs / 25)));

describe('graphs of diffusers', () =>
  testGradients(
    unet2dGraphUpTo(8).map((spec) => {
      const fields = spec.unet_2d as { readonly in_channels: number };
      return { ...spec, unet_2d: { ...fields, out_channels: fields.in_channels } };
    }),
    Math.ceil(graphs / 50),
  ));
