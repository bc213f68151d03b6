// Devices that nobody uses any more, kept for the next who opens one like them. Dawn gives back a device's threads and its
// share of the driver only when JavaScript's collector finds it, and the collector sees a few small objects and no hurry:
// two hundred models that were opened and closed would leave hundreds of threads.

import type { RuntimeError } from '../../errors.ts';
import type { OpenedDevice } from '../../opened-device.ts';

/** Of a kind: as many as models that are open at once mostly have. */
const MOST = 2;

/** References to what was made that are held before those to what is gone are let go of. */
const FEWEST_MADE = 256;

interface Kept {
  readonly opened: OpenedDevice;
  /** What was made since it was borrowed, to be destroyed when it comes back. */
  readonly made: WeakRef<{ destroy(): void }>[];
  /** Tells who has it that it was lost. */
  tell: (error: RuntimeError | null) => void;
}

const spare = new Map<string, Kept[]>();

/** Which device is wanted. */
interface Wanted extends Pick<OpenedDevice, 'timeout'> {
  /** All that devices differ by. */
  readonly key: string;
}

/**
 * A spare device of a kind, or one that `open` opens. Its `close` destroys what was made on it and keeps the device, if it
 * is sound.
 */
export async function borrowDevice(wanted: Wanted, open: () => Promise<OpenedDevice>): Promise<OpenedDevice> {
  const { key } = wanted;
  for (let kept = spare.get(key)?.pop(); kept !== undefined; kept = spare.get(key)?.pop()) {
    if (isSound(kept)) return lend(wanted, kept);
  }
  return lend(wanted, watchMade(await open()));
}

function lend({ key: kind, timeout }: Wanted, kept: Kept): OpenedDevice {
  const { opened, made } = kept;
  let end: (error: RuntimeError | null) => void = () => {};
  const lost = new Promise<RuntimeError | null>((resolve) => {
    end = resolve;
  });
  kept.tell = end;
  let closing: Promise<void> | null = null;
  const giveBack = async () => {
    for (const one of made.splice(0)) one.deref()?.destroy();
    const others = spare.get(kind) ?? [];
    if (isSound(kept) && others.length < MOST) spare.set(kind, [...others, kept]);
    else await opened.close();
    end(null);
  };
  return {
    ...opened,
    timeout,
    lost,
    close() {
      closing ??= giveBack();
      return closing;
    },
  };
}

function isSound({ opened }: Kept): boolean {
  try {
    opened.check();
    return true;
  } catch {
    return false;
  }
}

/** Remembers every buffer, texture and set of queries that is made on a device from now on. */
function watchMade(opened: OpenedDevice): Kept {
  const { device } = opened;
  const made: Kept['made'] = [];
  // a run of training has its device for days, and makes a buffer whenever it reads back states
  let most = FEWEST_MADE;
  const remember = (one: { destroy(): void }): void => {
    if (made.length >= most) {
      const there = made.filter((reference) => reference.deref() !== undefined);
      made.splice(0, made.length, ...there);
      most = Math.max(FEWEST_MADE, 2 * there.length);
    }
    made.push(new WeakRef(one));
  };
  for (const name of ['createBuffer', 'createTexture', 'createQuerySet'] as const) {
    const create = device[name].bind(device) as (descriptor: never) => { destroy(): void };
    const value = (descriptor: never) => {
      const one = create(descriptor);
      remember(one);
      return one;
    };
    Object.defineProperty(device, name, { value });
  }
  const kept: Kept = { opened, made, tell: () => {} };
  void opened.lost.then((error) => kept.tell(error));
  return kept;
}
