// What a page says: sentences for what is missing or went wrong, each with what to do, and numbers as people read them.

import type { Fault } from '../messages.ts';
import type { PageModel } from '../page-model.ts';

/** Something that keeps a page from drawing. */
export interface Trouble {
  readonly title: string;
  /** What it means, and what to do. */
  readonly text: string;
  /** In the program's own words, for those who look into it. */
  readonly detail: string;
  /** What the button does that may mend it; null where nothing on the page does. */
  readonly action: 'draw' | 'reload' | null;
}

/** What of a browser decides whether a page can draw there. */
export interface Surroundings {
  readonly protocol: string;
  readonly isSecure: boolean;
  readonly hasGpu: boolean;
}

/** Why nothing can be drawn here at all, or null. */
export function obstacle({ protocol, isSecure, hasGpu }: Surroundings): Trouble | null {
  if (protocol === 'file:') {
    return {
      title: 'This page was opened as a file',
      text:
        'Browsers let a page load its model only from a server. Start one in the folder of this page, such as ' +
        '“python3 -m http.server”, and open the address that it prints.',
      detail: '',
      action: null,
    };
  }
  if (!isSecure) {
    return {
      title: 'This address is not secure',
      text:
        'Browsers offer WebGPU, which this page computes with, only to pages that come by https or from this computer ' +
        '(localhost). Open it by such an address.',
      detail: '',
      action: null,
    };
  }
  return hasGpu ? null : WITHOUT_WEBGPU;
}

/** What is said where WebGPU is there, and no adapter to compute on. */
export const WITHOUT_ADAPTER: Trouble = {
  title: 'No GPU that pages may use',
  text:
    'The browser has WebGPU, and no adapter for it. Switch hardware acceleration on in its settings, update the graphics ' +
    'driver, or open the page in another browser. In Chrome on Linux it may have to be switched on at ' +
    'chrome://flags/#enable-unsafe-webgpu.',
  detail: 'navigator.gpu.requestAdapter() gives null',
  action: 'draw',
};

const WITHOUT_WEBGPU: Trouble = {
  title: 'This browser has no WebGPU',
  text:
    'This page computes with WebGPU. Current versions of Chrome, Edge, Safari and Firefox have it: update yours, or ' +
    'open the page in another.',
  detail: 'navigator.gpu is not there',
  action: null,
};

/** A fault of the worker in words for whoever reads the page. */
export function troubleOf({ kind, message }: Fault): Trouble {
  const trouble = (title: string, text: string, action: Trouble['action']): Trouble => {
    return { title, text, detail: message, action };
  };
  switch (kind) {
    case 'adapter':
      if (/no WebGPU/.test(message)) return { ...WITHOUT_WEBGPU, detail: message };
      if (/no GPU adapter/.test(message)) return { ...WITHOUT_ADAPTER, detail: message };
      return trouble(
        'This GPU lacks what the model needs',
        'Update the browser and the graphics driver, or open the page on another computer.',
        'draw',
      );
    case 'weights':
    case 'bundle':
      return trouble(
        'The model did not come whole',
        'What came whole is kept, and the rest is asked for when you try again. If that does not help, load the page anew, ' +
          'for its model may be another by now; else the folder on the server is not whole.',
        'draw',
      );
    case 'gpu':
      return trouble(
        'The GPU gave up',
        'The browser lost the GPU, or the GPU refused the work. Try again; if it happens once more, close what else ' +
          'uses the GPU, ask for fewer pictures, or load the page anew.',
        'draw',
      );
    case 'input':
      return trouble('This cannot be drawn', message, null);
    case 'output':
    case 'internal':
      return trouble(
        'Something went wrong in the page itself',
        'This is a bug in unetc and not of your making; please report it with the lines below. Loading the page anew may help.',
        'reload',
      );
  }
}

/** Bytes as people read them, in the unit of `of`, so that two of them can be compared. */
export function bytesIn(bytes: number, of: number = bytes): string {
  if (of >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (of >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}

/** How much of a whole has been loaded. */
export function loadedOf(loaded: number, total: number): string {
  return `${bytesIn(loaded, total).replace(/ .*/, '')} of ${bytesIn(total)}`;
}

/** `1 picture`, `3 pictures`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Seconds as a clock shows them. */
export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}

/** What the model is, in a line. */
export function factsOf({ denoiser, diffusion }: PageModel): string {
  const { in_channels, image_size, num_classes, low_res_size } = denoiser;
  const size = (space: readonly number[]) => space.toReversed().join('\u202f×\u202f');
  const colours = in_channels === 1 ? 'grey' : in_channels === 3 ? 'colour' : `${in_channels} channels`;
  return [
    low_res_size === null ? size(image_size) : `${size(low_res_size)} to ${size(image_size)}`,
    colours,
    ...(num_classes === null ? [] : [counted(num_classes, 'class').replace('classs', 'classes')]),
    `trained with ${counted(diffusion.steps, 'step')} of noise`,
  ].join(' · ');
}

/** With a capital at its beginning and a stop at its end. */
export function sentence(text: string): string {
  const stopped = /[.!?]$/.test(text) ? text : `${text}.`;
  return stopped.charAt(0).toUpperCase() + stopped.slice(1);
}
