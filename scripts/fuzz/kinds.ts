/** Every kind of case, the quickest last. Shares add up to 100. */
import { analysis } from './analysis/kind.js';
import { bruteforce } from './bruteforce.js';
import { files } from './files.js';
import type { Kind } from './kind.js';
import { recipes } from './recipes.js';

export const KINDS: ReadonlyArray<Kind> = [analysis, bruteforce, files, recipes];

/** How many of `cases` each of the kinds has: by their shares, and at least one. */
export function sharesOf(kinds: ReadonlyArray<Kind>, cases: number): ReadonlyArray<readonly [Kind, number]> {
  const total = kinds.reduce((sum, { share }) => sum + share, 0);
  return kinds.map((kind) => [kind, Math.max(1, Math.round((cases * kind.share) / total))]);
}
