// `unetc doctor` on the adapter that is here, and where Vulkan finds none.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const unetc = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

function doctor(words: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [unetc, 'doctor', ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

test('says which adapter is used, what it offers and which targets it serves', () => {
  const { status, stdout } = doctor(['--json']);
  expect(status).toBe(0);
  const report = JSON.parse(stdout);
  const used = report.adapters.filter((adapter: { used: boolean }) => adapter.used);
  expect(used).toHaveLength(1);
  expect(used[0].limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  expect(used[0].features).toContain('core-features-and-limits');
  // Whatever WebGPU runs on serves the target that asks for its defaults.
  expect(used[0].targets).toContainEqual({ name: 'generic', lacks: [], missing: [] });
  expect(used[0].targets.find((one: { name: string }) => one.name === used[0].target).missing).toEqual([]);
  expect(report.advice).toEqual([]);
  expect(report.error).toBeUndefined();
});

test('the text names the adapter and the version of Node', () => {
  const { status, stdout } = doctor([]);
  expect(status).toBe(0);
  expect(stdout).toContain(process.version);
  expect(stdout).toMatch(/^adapter '.+' \(used\)$/m);
  expect(stdout).toMatch(/^ {2}target: \w+, which --target auto takes$/m);
  expect(stdout).toMatch(/^ {2}target \w+ +(runs, too|does not run here): /m);
});

test.skipIf(process.platform !== 'linux')(
  'without a driver that works it exits 7 and says what to do',
  () => {
    const { status, stdout, stderr } = doctor(['--json'], { VK_DRIVER_FILES: '/nowhere/icd.json' });
    expect(status).toBe(7);
    const report = JSON.parse(stdout);
    expect(report.adapters).toEqual([]);
    expect(report.error).toMatchObject({ kind: 'adapter', exit: 7 });
    expect(report.error.message).toMatch(/no GPU adapter/);
    expect(report.advice.join('\n')).toContain(
      'VK_DRIVER_FILES names no file that exists (/nowhere/icd.json)',
    );
    expect(stderr).toContain('error: no GPU adapter');
  },
);
