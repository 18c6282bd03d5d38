/** Files of this library, whichever they are. They are opened, and their layers are read one at a time. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ByteReader,
  type Factors,
  isLaplaceError,
  type OpenedFactors,
  type OpenedPosterior,
  openFactors,
  openPosterior,
  type Posterior,
} from 'tfjs-laplace';
import { withFile } from 'tfjs-laplace/plugins/storage';

/** What a file holds, and its size in bytes. */
export interface Opened {
  readonly holds: OpenedPosterior | OpenedFactors;
  readonly bytes: number;
}

/** Where a file that leaves out what all parts of its pass have in common has the rest from: another file. */
export interface Like {
  readonly like?: string;
}

/** The option that names it. */
export const LIKE = [
  '--like <file>',
  'for a file that leaves out the weights (and the basis of ekfac): a file of another part, or of the posterior of the basis',
] as const;

/**
 * Opens the posterior or the factors in a file or in a folder, for as long as some work takes. All bytes are checked first. Rejects with
 * `Storage`, `InvalidFile` and `Mismatch`.
 */
export const withOpened = <A>(where: string, like: Like, work: (opened: Opened) => Promise<A>): Promise<A> =>
  withChecked(where, like, true, work);

/** The posterior or the factors in a file or in a folder, whole. Rejects as `withOpened` does. */
export const valueIn = (where: string, like: Like = {}): Promise<Posterior | Factors> =>
  withChecked<Posterior | Factors>(where, like, false, ({ holds }) => holds.whole());

async function withChecked<A>(where: string, like: Like, verify: boolean, work: (opened: Opened) => Promise<A>): Promise<A> {
  const options = { verify, ...(await likeOf(like)) };
  return withFile(await fileAt(where.replace(/^file:\/\//, '')), async (file) =>
    work({ holds: await opened(file, options), bytes: file.size }),
  );
}

/** The value of the option. */
export const likeOf = async ({ like }: Like): Promise<{ readonly like?: Posterior | Factors }> =>
  like === undefined ? {} : { like: await valueIn(like) };

interface Options {
  readonly verify: boolean;
  readonly like?: Posterior | Factors;
}

/** Opens a file as a posterior, or else as factors. The header says which, so that nothing is read twice. */
async function opened(file: ByteReader, { verify, ...like }: Options): Promise<Opened['holds']> {
  try {
    return await openPosterior(file, { verify });
  } catch (error) {
    if (isLaplaceError(error) && error.field === 'kind' && error.found === 'factors')
      return openFactors(file, { verify, ...like });
    throw error;
  }
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
