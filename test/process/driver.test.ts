// The set-up's look at the Vulkan driver, on made-up systems under UNETC_SETUP_ROOT: nothing is ever installed.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = join(import.meta.dirname, '..', '..', 'cli', 'setup', 'driver.sh');
const libraries = 'usr/lib/x86_64-linux-gnu';

let system: string;
beforeEach(() => {
  system = mkdtempSync(join(tmpdir(), 'unetc-setup-'));
});
afterEach(() => rmSync(system, { recursive: true }));

function file(path: string, text = ''): void {
  mkdirSync(dirname(join(system, path)), { recursive: true });
  writeFileSync(join(system, path), text);
}

function loader(): void {
  file(`${libraries}/libvulkan.so.1`);
}

function lavapipe(mesa: string, manifest = 'lvp_icd.json'): void {
  file(`usr/share/vulkan/icd.d/${manifest}`);
  // The version stands in the library, among what is no text.
  file(`${libraries}/libvulkan_lvp.so`, `\u0000\u0001ELF\u0000Mesa ${mesa}-2~bpo12+1 (LLVM 15)\u0000`);
}

/** A kernel driver with its render node. */
function gpu(driver: string): void {
  file('dev/dri/renderD128');
  mkdirSync(join(system, 'sys/class/drm/renderD128/device'), { recursive: true });
  symlinkSync(
    `../../../../bus/pci/drivers/${driver}`,
    join(system, 'sys/class/drm/renderD128/device/driver'),
  );
}

const bookworm = 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';

function run(options: { uid?: number; env?: Record<string, string>; args?: string[] } = {}) {
  const { PATH = '' } = process.env;
  const { status, stderr, stdout } = spawnSync('sh', [script, ...(options.args ?? [])], {
    encoding: 'utf8',
    env: {
      PATH,
      UNETC_SETUP_ROOT: system,
      UNETC_SETUP_UNAME: 'Linux',
      UNETC_SETUP_UID: String(options.uid ?? 0),
      ...options.env,
    },
  });
  expect(stdout).toBe('');
  return { status, lines: stderr.trimEnd().split('\n') };
}

const nothingToDo = { status: 0, lines: [''] };

describe('a system with a driver is left alone', () => {
  test.each(['lvp_icd.json', 'lvp_icd.x86_64.json'])('lavapipe of Mesa 25, manifest %s', (manifest) => {
    loader();
    lavapipe('25.0.7', manifest);
    expect(run({ uid: 1000 })).toEqual(nothingToDo);
  });

  test('an NVIDIA GPU', () => {
    loader();
    file('dev/nvidiactl');
    file('etc/vulkan/icd.d/nvidia_icd.json');
    expect(run()).toEqual(nothingToDo);
  });

  test.each([
    ['amdgpu', 'radeon_icd.x86_64.json'],
    ['i915', 'intel_icd.x86_64.json'],
    ['xe', 'intel_icd.json'],
  ])('a GPU of %s', (driver, manifest) => {
    loader();
    gpu(driver);
    file(`usr/share/vulkan/icd.d/${manifest}`);
    expect(run()).toEqual(nothingToDo);
  });

  test('a driver chosen by VK_DRIVER_FILES', () => {
    loader();
    file('opt/my_icd.json');
    expect(run({ env: { VK_DRIVER_FILES: join(system, 'opt/my_icd.json') } })).toEqual(nothingToDo);
  });

  test('macOS, which has Metal', () => {
    expect(run({ env: { UNETC_SETUP_UNAME: 'Darwin' } })).toEqual(nothingToDo);
  });
});

describe('what is missing is said', () => {
  test('the loader', () => {
    lavapipe('25.0.7');
    expect(run().lines[0]).toBe('set-up: the Vulkan loader (libvulkan.so.1) is missing');
  });

  test('any driver', () => {
    loader();
    expect(run()).toMatchObject({ status: 7 });
    expect(run().lines[0]).toBe('set-up: no Vulkan driver is installed');
  });

  test('a Mesa that is new enough', () => {
    loader();
    lavapipe('22.3.6');
    expect(run().lines[0]).toBe(
      'set-up: the software Vulkan driver is Mesa 22.3.6; Dawn needs Mesa 25 or newer',
    );
  });

  test('the Vulkan driver of an NVIDIA GPU, as in a container without graphics', () => {
    loader();
    file('dev/nvidiactl');
    expect(run()).toMatchObject({ status: 7 });
  });

  test('a GPU whose manifest belongs to another', () => {
    loader();
    gpu('amdgpu');
    file('usr/share/vulkan/icd.d/intel_icd.json');
    expect(run()).toMatchObject({ status: 7 });
  });

  // Root may read and write whatever the mode says.
  test.skipIf(process.getuid?.() === 0)('the right to use the GPU', () => {
    loader();
    gpu('amdgpu');
    file('usr/share/vulkan/icd.d/radeon_icd.json');
    chmodSync(join(system, 'dev/dri/renderD128'), 0);
    expect(run()).toMatchObject({ status: 7 });
  });

  test('a VK_DRIVER_FILES that names nothing', () => {
    loader();
    lavapipe('25.0.7');
    const { status, lines } = run({ env: { VK_DRIVER_FILES: '/nowhere/icd.json' } });
    expect(status).toBe(7);
    expect(lines[0]).toContain('VK_DRIVER_FILES names no file that exists (/nowhere/icd.json)');
  });
});

describe('what to run', () => {
  const commands = (result: { lines: string[] }) =>
    result.lines.filter((line) => line.startsWith('    ')).map((line) => line.trim());

  test('Debian 12 without root: backports are added first', () => {
    file('etc/os-release', bookworm);
    const result = run({ uid: 1000 });
    expect(result.status).toBe(7);
    expect(result.lines[1]).toBe('set-up: it takes root to install it; run these, then start again:');
    expect(commands(result)).toEqual([
      "echo 'deb http://deb.debian.org/debian bookworm-backports main' | sudo tee /etc/apt/sources.list.d/bookworm-backports.list",
      'sudo apt-get update',
      'sudo apt-get install -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers libvulkan1',
    ]);
  });

  test.each(['extra.list', 'debian.sources'])(
    'Debian 12 with backports in %s: they are not added again',
    (name) => {
      file('etc/os-release', bookworm);
      file(`etc/apt/sources.list.d/${name}`, 'Suites: bookworm bookworm-backports\n');
      expect(commands(run({ uid: 1000 }))).toHaveLength(2);
    },
  );

  test('a source that is commented out does not count', () => {
    file('etc/os-release', bookworm);
    file('etc/apt/sources.list', '# deb http://deb.debian.org/debian bookworm-backports main\n');
    expect(commands(run({ uid: 1000 }))).toHaveLength(3);
  });

  test('Debian 12 as root asking for advice: the same without sudo, and nothing happens', () => {
    file('etc/os-release', bookworm);
    const result = run({ uid: 0, args: ['--advice'] });
    expect(result.status).toBe(7);
    expect(commands(result)[1]).toBe('apt-get update');
    expect(result.lines.join('\n')).not.toContain('sudo');
  });

  test.each([
    ['Debian 13', 'ID=debian\nVERSION_CODENAME=trixie\n'],
    ['Ubuntu 24.04', 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n'],
    ['Mint', 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n'],
  ])('%s: the plain package', (_, release) => {
    file('etc/os-release', release);
    expect(commands(run({ uid: 1000 }))).toEqual([
      'sudo apt-get update',
      'sudo apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1',
    ]);
  });

  test.each([
    ['ID=fedora', 'sudo dnf install -y mesa-vulkan-drivers vulkan-loader'],
    ['ID=arch', 'sudo pacman -S --needed vulkan-swrast vulkan-icd-loader'],
    [
      'ID=alpine',
      'Dawn is built for glibc and does not run on musl: use a Debian, Ubuntu or Fedora system or container.',
    ],
    [
      'ID=mine',
      'Install the Vulkan loader (libvulkan.so.1) and a Vulkan driver: that of the GPU, or lavapipe of Mesa 25 or newer.',
    ],
  ])('%s: what is needed, also for root', (release, command) => {
    file('etc/os-release', `${release}\n`);
    const result = run({ uid: 0 });
    expect(result.status).toBe(7);
    expect(commands(result)).toEqual([command]);
  });

  test('a system that does not say what it is', () => {
    expect(run().status).toBe(7);
    expect(commands(run())[0]).toContain('libvulkan.so.1');
  });
});

test('the scripts are POSIX: dash parses them', () => {
  for (const name of ['cli/setup.sh', 'cli/setup/build.sh', 'cli/setup/driver.sh']) {
    const parsed = spawnSync('sh', ['-n', join(import.meta.dirname, '..', '..', name)], { encoding: 'utf8' });
    expect(parsed).toMatchObject({ status: 0, stderr: '' });
  }
});
