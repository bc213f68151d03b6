// The sheet: a tile a picture, from the noise of its seed over the guesses on the way to the picture itself.

import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { sampleShape } from '../../runtime/sampler/request.ts';
import { elements } from '../../runtime/tensor.ts';
import { className, type Job } from '../job.ts';
import type { Picture, Placed } from '../messages.ts';
import type { PageModel } from '../page-model.ts';
import { pictureOf } from '../picture.ts';
import { button, make } from './elements.ts';

export interface Sheet {
  /** Shows a job that is not begun: the noise that each picture starts from. */
  plan(job: Job): void;
  /** Forgets what was drawn before, and gets ready for a run. */
  begin(job: Job): void;
  /** Shows guesses after `step` of `steps`. */
  guess(guesses: readonly Placed[], step: number, steps: number): void;
  finish(placed: Placed): void;
  /** The pictures that are done, with what they are called; in the order of the job. */
  done(): readonly Named[];
  /** Steps whose guesses are kept of every picture; 0 where they are too large to be. */
  readonly steps: number;
  /** Shows all pictures as they were after a step. */
  replay(step: number): void;
}

export interface Named {
  readonly picture: Picture;
  /** As below the tile. */
  readonly label: string;
  readonly seed: number;
}

interface Tile {
  readonly item: HTMLLIElement;
  readonly canvas: HTMLCanvasElement;
  readonly label: string;
  readonly seed: number;
  readonly history: Picture[];
  picture: Picture | null;
}

/** Bytes of guesses that are kept at the most, so that they can be looked at again. */
const MOST_HISTORY = 96 * 2 ** 20;

/** @param onSave called when the reader wants one picture as a file */
export function createSheet(model: PageModel, list: HTMLElement, onSave: (named: Named) => void): Sheet {
  const shape = sampleShape(model.denoiser);
  let tiles: readonly Tile[] = [];
  let shown = '';
  let keeps = false;
  const tileOf = (job: Job, position: number): Tile => {
    const seed = job.seeds[position]!;
    const label = job.labels.length === 0 ? '' : className(model, job.labels[position % job.labels.length]!);
    const canvas = make('canvas', { role: 'img' });
    const about = { class: 'save', title: 'Save as PNG', 'aria-label': `Save ${nameOf(label, seed)} as PNG` };
    const save = button('↓', { ...about, hidden: true }, () => {
      if (tile.picture !== null) onSave({ picture: tile.picture, label, seed });
    });
    const number = make('span', { title: `seed ${seed}` }, `#${seed}`);
    const caption = make('figcaption', {}, make('span', { title: label }, label), number, save);
    const item = make('li', {}, make('figure', {}, canvas, caption));
    const tile: Tile = { item, canvas, label, seed, history: [], picture: null };
    return tile;
  };
  const draw = ({ item, canvas, label, seed }: Tile, picture: Picture, state: string) => {
    const { width, height, data } = picture;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext('2d')!.putImageData(new ImageData(data, width, height), 0, 0);
    canvas.setAttribute('aria-label', `${nameOf(label, seed)}: ${state}`);
    item.classList.toggle('small', width < 200 && height < 200);
  };
  const lay = (job: Job) => {
    const words = `${job.seeds.join()} ${job.labels.join()}`;
    if (words !== shown) {
      shown = words;
      tiles = job.seeds.map((_, position) => tileOf(job, position));
      list.replaceChildren(...tiles.map(({ item }) => item));
    }
    for (const tile of tiles) {
      tile.history.length = 0;
      tile.picture = null;
      tile.item.classList.add('noise');
      tile.item.querySelector<HTMLElement>('.save')!.hidden = true;
      const noise = normalNoise(tile.seed, INITIAL_STEP, elements(shape));
      draw(tile, pictureOf({ shape, data: noise }), 'the noise that it starts from');
    }
    const { width = 1, height = 1 } = tiles[0]?.canvas ?? {};
    list.style.setProperty('--tile', tileWidth(tiles.length, width / height));
    list.style.setProperty('--narrow', width >= 2 * height ? '100%' : tiles.length > 4 ? '29%' : '44%');
  };
  return {
    plan: lay,
    begin(job) {
      lay(job);
      keeps = true;
    },
    guess(guesses, step, steps) {
      for (const { position, picture } of guesses) {
        const tile = tiles[position];
        if (tile === undefined) continue;
        keeps &&= picture.data.length * steps * tiles.length <= MOST_HISTORY;
        if (keeps) tile.history.push(picture);
        tile.item.classList.remove('noise');
        draw(tile, picture, `the guess after step ${step} of ${steps}`);
      }
    },
    finish({ position, picture }) {
      const tile = tiles[position];
      if (tile === undefined) return;
      tile.picture = picture;
      tile.item.classList.remove('noise');
      tile.item.querySelector<HTMLElement>('.save')!.hidden = false;
      draw(tile, picture, 'done');
    },
    done: () =>
      tiles.flatMap(({ picture, label, seed }) => (picture === null ? [] : [{ picture, label, seed }])),
    get steps() {
      return keeps ? Math.min(...tiles.map(({ history }) => history.length)) : 0;
    },
    replay(step) {
      for (const tile of tiles) {
        const last = tile.history.length;
        // what the last step guesses is the picture
        const picture = step >= last ? tile.picture : tile.history[step - 1];
        if (picture) draw(tile, picture, step >= last ? 'done' : `the guess after step ${step} of ${last}`);
      }
    },
  };
}

function nameOf(label: string, seed: number): string {
  return label === '' ? `seed ${seed}` : `${label}, seed ${seed}`;
}

/** The least width of a tile: few pictures are large, and curves and slices wide. */
function tileWidth(count: number, aspect: number): string {
  if (aspect >= 2) return '22rem';
  if (count === 1) return '28rem';
  if (count <= 4) return '17rem';
  return count <= 20 ? '8.5rem' : '6rem';
}
