// What tells the data of a run: the bytes of a file, and of a folder the names and sizes of its files. Where it lies does not
// count, so that a run may be moved with its data.

import fs from 'node:fs';
import path from 'node:path';
import { namesIn, readableKind } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import { listPictures } from '../data/picture-files.ts';
import { fileDigest, sha256Of } from '../digest.ts';

/** SHA-256. Rejects with RuntimeError('input') where the data cannot be read. */
export async function dataIdentity(place: string, kind: string, takeTurn: TakeTurn): Promise<string> {
  if (readableKind({ kind: 'input', label: place }) === 'file')
    return fileDigest({ kind: 'input', label: place }, takeTurn);
  const files = kind === 'pictures' ? listPictures(place).files : namesIn({ kind: 'input', label: place });
  const lines = files.map((file) => {
    const label = path.join(place, file);
    const stat = guarded({ kind: 'input', label }, () => fs.statSync(label, { throwIfNoEntry: false }));
    return `${file} ${stat?.isFile() ? stat.size : 'none'}`;
  });
  return sha256Of(lines.join('\n'));
}
