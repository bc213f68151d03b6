// The two equalities of every kernel on arbitrary graphs in the explicit form and of diffusers, as random-graphs.ts says.

import { describe } from 'vitest';
import { arbitraryExplicitGraph } from '../arbitrary-explicit-graph.ts';
import { unet2dGraphUpTo } from '../arbitrary-unet-2d-graph.ts';
import { graphs, testAgreement } from '../random-graphs.ts';

describe('graphs of the explicit form', () => testAgreement(arbitraryExplicitGraph, Math.floor(graphs / 2)));

describe('graphs of diffusers', () => testAgreement(unet2dGraphUpTo(8), Math.ceil(graphs / 16)));
