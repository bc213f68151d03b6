// Memory for what a step of training changes: arenas of parameters with their moments and moving averages, and the few numbers
// that a step takes and gives, in slots that nothing shares. Arenas of gradients have such slots where they wait for each other;
// else they take slots in turn with all other values.

import { settingsLength } from '../../runtime/bundle.ts';
import { type Resource, resourceName, type SizedResource, valueIn } from '../schedule/resources.ts';
import { COPIES, SQUARE_SUMS, type Update } from '../schedule/update.ts';

/** What a resource is a part of, by its name; bytes from the beginning of that, and how many. */
export interface Place {
  readonly within: string;
  readonly offset: number;
  readonly bytes: number;
}

/** An arena of gradients that stands from the first of them on until they have changed the parameters. */
export interface PassingArena extends SizedResource {
  readonly first: number;
  readonly last: number;
}

export interface UpdatePlan {
  /** What has a slot of its own. */
  readonly standing: readonly SizedResource[];
  readonly passing: readonly PassingArena[];
  /** Where what is a part of these stands in them, by names of resources. */
  readonly places: ReadonlyMap<string, Place>;
}

export function placeUpdate(update: Update): UpdatePlan {
  const copies = COPIES.length + update.averages;
  const standing: SizedResource[] = [];
  const passing: PassingArena[] = [];
  const places = new Map<string, Place>();
  const stand = (resource: Resource, bytes: number) => {
    standing.push({ resource, bytes });
    return resourceName(resource);
  };
  update.arenas.forEach(({ bytes, parameters, alive }, arena) => {
    const gradients: Resource = { kind: 'gradients', arena };
    if (alive === null) stand(gradients, bytes);
    else passing.push({ resource: gradients, bytes, ...alive });
    if (update.accumulates) stand({ kind: 'gradient_sums', arena }, bytes);
    const trained = stand({ kind: 'trained', arena }, bytes * copies);
    for (const { name, gradient, offset, bytes } of parameters) {
      places.set(resourceName(valueIn(gradient)), { within: resourceName(gradients), offset, bytes });
      places.set(resourceName({ kind: 'parameter', name }), { within: trained, offset, bytes });
    }
  });
  update.still.forEach(({ bytes, parameters }, arena) => {
    const within = stand({ kind: 'still', arena }, bytes);
    for (const { name, offset, bytes } of parameters)
      places.set(resourceName({ kind: 'parameter', name }), { within, offset, bytes });
  });
  stand({ kind: 'step_settings' }, settingsLength(update.averages) * 4);
  stand({ kind: 'square_sums' }, update.arenas.length * SQUARE_SUMS * 4);
  stand({ kind: 'gradient_scale' }, 16);
  return { standing, passing, places };
}
