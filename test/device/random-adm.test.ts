// The two equalities of every kernel on arbitrary graphs of guided-diffusion, as random-graphs.ts says.

import { describe } from 'vitest';
import { admGraphUpTo } from '../arbitrary-adm-graph.ts';
import { arbitraryClassifierGraph } from '../arbitrary-classifier-graph.ts';
import { graphs, testAgreement } from '../random-graphs.ts';

describe('graphs of guided-diffusion', () => testAgreement(admGraphUpTo(8), Math.ceil(graphs / 4)));

describe('graphs of classifiers and their gradients', () =>
  testAgreement(arbitraryClassifierGraph, Math.ceil(graphs / 8)));
