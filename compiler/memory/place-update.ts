// Slots for what training keeps from step to step: arenas of gradients, of parameters with their moments and moving averages,
// and the few numbers that a step takes and gives. Nothing shares them.

import { settingsLength } from '../../runtime/bundle.ts';
import { type Resource, resourceName, type SizedResource, valueIn } from '../schedule/resources.ts';
import { COPIES, SQUARE_SUMS, type Update } from '../schedule/update.ts';

/** Bytes from the beginning of a slot, and how many. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

export interface UpdatePlan {
  readonly slots: readonly SizedResource[];
  /** By names of resources, counted from the first of these slots. */
  readonly slotOf: ReadonlyMap<string, number>;
  readonly places: ReadonlyMap<string, Place>;
}

export function placeUpdate(update: Update): UpdatePlan {
  const copies = COPIES.length + update.averages;
  const slots: SizedResource[] = [];
  const slotOf = new Map<string, number>();
  const places = new Map<string, Place>();
  const take = (resource: Resource, bytes: number) => {
    slotOf.set(resourceName(resource), slots.length);
    return slots.push({ resource, bytes }) - 1;
  };
  const place = (resource: Resource, slot: number, at: Place) => {
    slotOf.set(resourceName(resource), slot);
    places.set(resourceName(resource), at);
  };
  update.arenas.forEach(({ bytes, parameters }, arena) => {
    const gradients = take({ kind: 'gradients', arena }, bytes);
    if (update.accumulates) take({ kind: 'gradient_sums', arena }, bytes);
    const trained = take({ kind: 'trained', arena }, bytes * copies);
    for (const { name, gradient, offset, bytes } of parameters) {
      place(valueIn(gradient), gradients, { offset, bytes });
      place({ kind: 'parameter', name }, trained, { offset, bytes });
    }
  });
  update.still.forEach(({ bytes, parameters }, arena) => {
    const still = take({ kind: 'still', arena }, bytes);
    for (const { name, offset, bytes } of parameters)
      place({ kind: 'parameter', name }, still, { offset, bytes });
  });
  take({ kind: 'step_settings' }, settingsLength(update.averages) * 4);
  take({ kind: 'square_sums' }, update.arenas.length * SQUARE_SUMS * 4);
  take({ kind: 'gradient_scale' }, 16);
  return { slots, slotOf, places };
}
