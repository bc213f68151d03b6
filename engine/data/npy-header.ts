// The header of NumPy's `.npy`: type, order and shape of an array, and where its values begin.
//
//   \x93NUMPY, version (1, 2 or 3) and 0, length of the header (2 bytes, from version 2 on 4), a Python dict
//   {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }, the values
//
// Source: NumPy, "numpy.lib.format".

import { dataView, fault, type Origin } from '../../runtime/bytes.ts';
import { NUMPY_DTYPES } from '../../runtime/weights/dtypes.ts';
import type { Place } from './rows.ts';
import { bytesOf } from './rows.ts';

/** The longest header that is read; NumPy itself trusts no header beyond 10,000 characters. */
const LONGEST = 65_536;

/**
 * Reads the header from the beginning of an array's bytes.
 * @param size bytes of the whole array file, which the header must account for
 * @throws RuntimeError of `origin.kind`
 */
export function readNpyHeader(
  read: (offset: number, length: number) => Uint8Array,
  size: number,
  origin: Origin,
): Place {
  const damaged = (why: string) => fault(origin, `${why}; save it again with numpy.save or numpy.savez`);
  const start = read(0, Math.min(size, 12));
  const version = start[6]!;
  if (start.length < 12 || !beginsAsNpy(start) || version < 1 || version > 3) {
    throw damaged('this is no array of NumPy');
  }
  const view = dataView(start);
  const at = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST || at + length > size) throw damaged('its header is cut off');
  const place = { ...parseDict(new TextDecoder().decode(read(at, length)), origin), offset: at + length };
  const wanted = bytesOf(place.dtype, place.shape);
  if (wanted === size - place.offset) return place;
  const takes = `[${place.shape.join(', ')}] of ${place.dtype} takes ${wanted ?? 'too many'} bytes`;
  throw damaged(`${takes}, and it has ${size - place.offset}`);
}

/** Whether bytes begin as a `.npy` does. */
export function beginsAsNpy(bytes: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, i) => bytes[i] === byte);
}

function parseDict(header: string, origin: Origin): Omit<Place, 'offset'> {
  const descr = /'descr':\s*'([^']{1,16})'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape':\s*\(([\d,\sL]{0,400})\)/.exec(header)?.[1];
  if (order === undefined || sizes === undefined) {
    throw fault(origin, 'its header is not that of an array; save it again with numpy.save or numpy.savez');
  }
  const [, endian, code] = /^([<>|=])([a-z]\d+)$/.exec(descr ?? '') ?? [];
  const dtype = code !== undefined && Object.hasOwn(NUMPY_DTYPES, code) ? NUMPY_DTYPES[code]! : null;
  if (dtype === null) {
    const found = descr === undefined ? 'with fields' : `of type '${descr}'`;
    throw fault(origin, `elements ${found} are not read; store numbers, such as uint8 or float32`);
  }
  const shape = sizes
    .split(',')
    .map((size) => size.replace('L', '').trim())
    .filter((size) => size !== '')
    .map(Number);
  if (order === 'True' && shape.filter((size) => size > 1).length > 1) {
    throw fault(origin, "it is in Fortran's order, column by column; save numpy.ascontiguousarray of it");
  }
  return { dtype, shape, bigEndian: endian === '>' };
}
