/**
 * Which ratios between the layers' precisions to try next: a pattern search on their logarithms (Hooke & Jeeves 1961) in rounds, since a
 * round of many candidates costs little more than one. A round moves one layer's precision at a time, up and down. Then all moves that
 * helped are made together.
 */
import { best, type Candidate, meanOf } from './choose.js';

/** The first and the last step: half a decade, and an eighth. */
const [COARSE, FINE] = [0.5, 0.125];

/** Precisions of each layer. */
export type Precisions = ReadonlyArray<number>;

/** The precisions of each layer of a candidate. */
export const precisionsOf = ({ precision, ratios }: Pick<Candidate, 'precision' | 'ratios'>): Precisions =>
  ratios.map((ratio) => precision * ratio);

/** A candidate's precision and ratios from the precisions of each layer. */
export function ratiosOf(precisions: Precisions): Pick<Candidate, 'precision' | 'ratios'> {
  const [first] = precisions as readonly [number];
  if (precisions.every((tau) => tau === first)) return { precision: first, ratios: precisions.map(() => 1) };
  const precision = Math.exp(precisions.reduce((sum, tau) => sum + Math.log(tau), 0) / precisions.length);
  return { precision, ratios: precisions.map((tau) => tau / precision) };
}

/**
 * The best candidate with precisions of their own for each layer.
 *
 * @param tried evaluates candidates in one round
 */
export async function bestLayers(
  start: Candidate,
  bounds: readonly [number, number],
  tried: (round: ReadonlyArray<Precisions>) => Promise<ReadonlyArray<Candidate>>,
): Promise<Candidate> {
  let top = start;
  const within = (all: Precisions): boolean => all.every((tau) => tau >= bounds[0] && tau <= bounds[1]);
  for (let step = COARSE; step >= FINE; ) {
    const from = precisionsOf(top);
    const moved = (layers: ReadonlyMap<number, number>): Precisions => from.map((tau, l) => tau * 10 ** (layers.get(l) ?? 0));
    const moves = from.flatMap((_, l) => [step, -step].map((by) => new Map([[l, by]]))).filter((move) => within(moved(move)));
    const found = await tried(moves.map(moved));
    const helped = moves.filter((_, i) => meanOf((found[i] as Candidate).losses) < meanOf(top.losses));
    // At most one of two opposite moves helps where the loss has a single valley. Otherwise the later one counts.
    const together = new Map(helped.flatMap((move) => [...move]));
    const all = together.size > 1 ? await tried([moved(together)]) : [];
    const next = best([top, ...found, ...all]);
    if (next === top) step /= 2;
    top = next;
  }
  return top;
}
