// Products by tiles in workgroup memory that are computed in float16: the schedule is that of the workgroup kernels. What of a
// graph in float16 stays in float32 is computed by those.

import type { Target } from '../../target.ts';
import type { Backend } from './backend.ts';
import { workgroup } from './workgroup.ts';

export function half(target: Target): Backend {
  return { ...workgroup(target), precisions: ['f16'] };
}
