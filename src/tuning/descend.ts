/** A search on one logarithm for losses that take a pass of the network each. */

/** The first and the last step. The last is that of the search for τ: about an eighth of a decade. */
const [FIRST, LAST] = [8, 2];
/** Steps are counted in eighths, so that a place that comes again is known. */
const UNIT = 1 / 8;

/**
 * Goes from a start to where the loss is less, with ever smaller steps (Hooke & Jeeves 1961, in one dimension). Undefined losses lose.
 *
 * @param at what there is at a place
 * @param most places lie within ± most
 */
export async function descend<A>(
  at: (t: number) => Promise<A>,
  lossOf: (found: A) => number,
  start: number,
  most: number,
): Promise<A> {
  const known = new Map<number, A>();
  const visit = async (k: number): Promise<A> => {
    const found = known.get(k) ?? (await at(start + k * UNIT));
    known.set(k, found);
    return found;
  };
  let [k, here] = [0, await visit(0)];
  for (let step = FIRST; step >= LAST; ) {
    const places = [k + step, k - step].filter((place) => Math.abs(start + place * UNIT) <= most);
    let next: number | undefined;
    for (const place of places) {
      const loss = lossOf(await visit(place));
      if (loss < lossOf(here) || (Number.isNaN(lossOf(here)) && !Number.isNaN(loss))) {
        next = place;
        break;
      }
    }
    if (next === undefined) step /= 2;
    else [k, here] = [next, await visit(next)];
  }
  return here;
}
