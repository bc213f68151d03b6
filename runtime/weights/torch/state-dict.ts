// Finds the one dict of tensors in a checkpoint: the top-level object, or a dict inside it under a usual key.

import { fault, type Origin } from '../bytes.ts';
import { isKind, type PickleTensor, type PickleValue } from './pickle-values.ts';

/** Where training code keeps a model's tensors. */
const USUAL_KEYS: readonly string[] = [
  'state_dict',
  'model_state_dict',
  'model',
  'ema',
  'ema_state_dict',
  'ema_model',
  'model_ema',
  'params_ema',
  'params',
  'net',
  'network',
  'unet',
  'weights',
  'module',
];

export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  /** What was chosen and left out, where that was not plain. */
  readonly note: string | null;
}

/** The tensors of a checkpoint by name, in its order. Throws where there is no such dict, or more than one. */
export function findStateDict(value: PickleValue, origin: Origin): StateDict {
  if (isKind(value, 'tensor')) throw fault(origin, `this is a single tensor without a name; ${ADVICE}`);
  if (!isKind(value, 'dict')) throw fault(origin, `this holds no dict of tensors; ${ADVICE}`);
  const top = tensorsIn(value);
  const inside = [...value.entries]
    .map(([key, inner]) => ({ key: String(key), dict: tensorsIn(inner) }))
    .filter(({ key, dict }) => USUAL_KEYS.includes(key) && dict !== null);
  const keys = [...value.entries.keys()].map((key) =>
    JSON.stringify(typeof key === 'object' ? '…' : String(key)),
  );
  if (inside.length > 1) {
    const found = inside
      .map(({ key, dict }) => `${JSON.stringify(key)} (${dict?.tensors.size} tensors)`)
      .join(', ');
    const choice = `torch.save(torch.load('it.pt')['${inside[0]!.key}'], 'weights.pt')`;
    throw fault(
      origin,
      `this checkpoint holds several dicts of tensors: ${found}; save the one you want, as in ${choice}`,
    );
  }
  const [chosen] = inside;
  if (chosen?.dict != null) {
    const { tensors, others } = chosen.dict;
    const beside = keys.filter((key) => key !== JSON.stringify(chosen.key));
    const rest = beside.length === 0 ? '' : `; left out ${listed(beside)}`;
    return {
      tensors,
      note: `took the ${tensors.size} tensors under "${chosen.key}"${rest}${alsoLeftOut(others)}`,
    };
  }
  if (top === null) {
    throw fault(
      origin,
      `there is no dict of tensors at its top or under a usual key; its keys are ${listed(keys)}; ${ADVICE}`,
    );
  }
  return {
    tensors: top.tensors,
    note: top.others.length === 0 ? null : `left out ${listed(top.others)}, which are no tensors`,
  };
}

const ADVICE = "save the tensors alone: torch.save(model.state_dict(), 'weights.pt')";

/** The tensors of a dict and the keys of what else is in it, or null where it has no tensors. */
function tensorsIn(
  value: PickleValue,
): { readonly tensors: ReadonlyMap<string, PickleTensor>; readonly others: readonly string[] } | null {
  if (!isKind(value, 'dict')) return null;
  const tensors = new Map<string, PickleTensor>();
  const others: string[] = [];
  for (const [key, inner] of value.entries) {
    if (typeof key === 'string' && isKind(inner, 'tensor')) tensors.set(key, inner);
    else others.push(JSON.stringify(typeof key === 'object' ? '…' : String(key)));
  }
  return tensors.size === 0 ? null : { tensors, others };
}

function alsoLeftOut(others: readonly string[]): string {
  return others.length === 0 ? '' : `; left out of it ${listed(others)}, which are no tensors`;
}

function listed(keys: readonly string[]): string {
  const shown = keys.slice(0, 8).join(', ');
  return keys.length > 8 ? `${shown} and ${keys.length - 8} more` : shown || 'none';
}
