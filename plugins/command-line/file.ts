/** Reads a file of this library, whichever it is. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { either as E, function as F } from 'fp-ts';
import { decodeFactors, decodePosterior, type Factors, orThrow, type Posterior } from 'tfjs-laplace';
import { readBytes } from 'tfjs-laplace/plugins/storage';

/** What a file holds. */
export type Kept =
  | { readonly kind: 'posterior'; readonly value: Posterior; readonly bytes: number }
  | { readonly kind: 'factors'; readonly value: Factors; readonly bytes: number };

/** The posterior or the factors in a file or in a folder. Rejects with `Storage`, `InvalidFile` and `Mismatch`. */
export async function keptIn(where: string): Promise<Kept> {
  const bytes = await readBytes(await fileAt(where.replace(/^file:\/\//, '')));
  return orThrow(
    F.pipe(
      decodePosterior(bytes),
      E.map((value): Kept => ({ kind: 'posterior', value, bytes: bytes.length })),
      E.orElse((error) =>
        error.field === 'kind' && error.found === 'factors'
          ? F.pipe(
              decodeFactors(bytes),
              E.map((value): Kept => ({ kind: 'factors', value, bytes: bytes.length })),
            )
          : E.left(error),
      ),
    ),
  );
}

/** The file itself; in a folder the posterior, or else the factors. */
async function fileAt(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const files = ['laplace.safetensors', 'factors.safetensors'].map((name) => join(path, name));
  for (const file of files) {
    const isThere = await stat(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return files[0] as string;
}
