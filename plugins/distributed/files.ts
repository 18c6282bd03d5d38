/** The files of a run: one for each shard, the basis of `ekfac`, and the sum. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLaplaceError, openFactors, type Part, type Posterior, type Shard } from 'tfjs-laplace';
import { loadPosterior, withFile } from 'tfjs-laplace/plugins/storage';
import { type Plan, runName } from './plan.js';

/** The folder of a run. */
const folderOf = (plan: Plan): string => join(plan.where, runName(plan));

export const shardFile = (plan: Plan, shard: number): string =>
  join(folderOf(plan), `shard-${String(shard).padStart(5, '0')}.safetensors`);

export const sumFile = (plan: Plan): string => join(folderOf(plan), 'factors.safetensors');

export const basisFile = (plan: Plan): string => join(folderOf(plan), 'basis.safetensors');

/** The examples of a shard. */
export const partOf = ({ data }: Plan, { first, end }: Pick<Shard, 'first' | 'end'>): Part => ({
  dataset: data.dataset,
  first,
  end,
});

/** All examples of a plan. */
export const wholeOf = (plan: Plan): Part => partOf(plan, { first: 0, end: plan.data.examples });

/**
 * Whether a file is whole, and holds the sums over exactly these examples at the weights of the plan. A file that is something else is removed:
 * whoever needs it makes it anew. Rejects with `Storage` for a file that cannot be read.
 *
 * @param verify whether all its bytes are read, and checked against its hash; without it damage inside the numbers is not found
 */
export async function holds(
  plan: Plan,
  file: string,
  part: Part,
  { basis, verify }: { readonly basis: Posterior | undefined; readonly verify: boolean },
): Promise<boolean> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return false;
  const isRight = await withFile(file, async (reader) => {
    const { fingerprint, parts } = await openFactors(reader, { verify, ...(basis && { like: basis }) });
    const [own] = parts ?? [];
    const same = own?.dataset === part.dataset && own.first === part.first && own.end === part.end;
    return fingerprint === plan.fingerprint && parts?.length === 1 && same;
  }).catch((error: unknown) => {
    if (isLaplaceError(error) && (error.kind === 'InvalidFile' || error.kind === 'Mismatch')) return false;
    throw error;
  });
  if (!isRight) await rm(file, { force: true });
  return isRight;
}

/** The basis of a plan, if there is one that is whole. */
export async function basisAt(plan: Plan): Promise<Posterior | undefined> {
  try {
    const basis = await loadPosterior(`file://${basisFile(plan)}`);
    return basis.fingerprint === plan.fingerprint ? basis : undefined;
  } catch (error) {
    if (isLaplaceError(error) && ['Storage', 'InvalidFile', 'Mismatch'].includes(error.kind)) return undefined;
    throw error;
  }
}
