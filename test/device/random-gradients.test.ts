// Losses and gradients of arbitrary graphs of the two original projects, as random-gradients.ts says. Files have processes of
// their own, for a driver maps memory for each kernel.

import { describe } from 'vitest';
import { admGraphUpTo } from '../arbitrary-adm-graph.ts';
import { compactGraphUpTo } from '../arbitrary-graph.ts';
import { testGradients } from '../random-gradients.ts';
import { graphs } from '../random-graphs.ts';

describe('graphs of the compact form', () => testGradients(compactGraphUpTo(8), Math.ceil(graphs / 25)));

describe('graphs of guided-diffusion', () => testGradients(admGraphUpTo(8), Math.ceil(graphs / 50)));
