// Runs that replay the recorded steps of the original's optimizer, on the reference executor. Its numbers on a GPU are in
// device/train.test.ts.

import { expect, test } from 'vitest';
import { train } from '../../../engine/api.ts';
import { goldenSteps, STEP_CASES } from '../../step-cases.ts';

test.each(STEP_CASES)('%s: losses, norms, the change of parameters and of moving averages', async (name) => {
  const { graph, weights, replay, options, log, errorOfChange } = goldenSteps(name);
  const { lr, weight_decay, lr_anneal_steps, ema_rates, microbatch } = options;
  const given = {
    lr,
    weight_decay,
    lr_anneal_steps,
    ema_rate: ema_rates,
    ...(microbatch > 0 ? { microbatch } : {}),
  };
  await using run = train(graph, { ...given, weights, replay, reference: true });
  const reports = [];
  for await (const report of run) reports.push(report);
  expect(reports).toHaveLength(log.length);
  for (const [k, { loss, grad_norm }] of log.entries()) {
    expect(Math.abs(reports[k]!.losses.loss! / loss - 1), `loss of step ${k}`).toBeLessThan(2e-5);
    expect(Math.abs(reports[k]!.grad_norm / grad_norm - 1), `norm of step ${k}`).toBeLessThan(2e-4);
  }
  expect(errorOfChange('param', await run.weights())).toBeLessThan(1e-3);
  for (const rate of ema_rates) {
    expect(errorOfChange(`ema_${rate}`, await run.weights(rate)), `average ${rate}`).toBeLessThan(1e-3);
  }
});
