/** Which format a file has: its first bytes tell, or else the ending of its name. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { invalidFile } from './failure.js';
import { isIdx } from './idx.js';
import { isNpy } from './npy.js';

/** The formats that are read. */
export const FORMATS = ['idx', 'npy', 'csv', 'tsv', 'parquet'] as const;

export type Format = (typeof FORMATS)[number];

/** The format of unzipped bytes. Throws `InvalidFile` if nothing tells it. */
export function formatOf(bytes: Uint8Array, name: string): Format {
  if (isNpy(bytes)) return 'npy';
  if (startsWith(bytes, 'PAR1')) return 'parquet';
  if (isIdx(bytes)) return 'idx';
  const ending = /\.([^./\\]+?)(\.gz)?$/i.exec(name)?.[1]?.toLowerCase();
  const zip = startsWith(bytes, 'PK\x03\x04');
  const named = FORMATS.find((format) => format === ending);
  if (zip || named === undefined) throw unknown(name, zip);
  return named;
}

function unknown(name: string, zip: boolean): LaplaceError {
  return laplaceError('InvalidFile', {
    what: `Neither its first bytes nor its name tell the format of ${name}`,
    ...(zip ? { found: 'a zip file, as np.savez writes them' } : {}),
    expected: 'IDX, NPY or Parquet, or a name that ends in .csv or .tsv',
    remedy: zip ? 'Write each array with np.save.' : `Or name it with the option: { format: 'csv' }.`,
  });
}

/** Unzips bytes, if they are zipped. Rejects with `InvalidFile` if they are cut or damaged. */
export async function unzipped(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const { gunzip } = await import('node:zlib');
  return new Promise((resolve, reject) => {
    gunzip(bytes, (cause, result) => {
      if (cause === null) resolve(result);
      else reject(invalidFile(name, 'gzip', cause.message, 'a whole file', { cause }));
    });
  });
}

const startsWith = (bytes: Uint8Array, start: string): boolean =>
  [...start].every((letter, i) => bytes[i] === letter.charCodeAt(0));
