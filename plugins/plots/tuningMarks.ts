/** Where the picture of `tune` puts what it marks: the ends of an axis, and words that do not lie upon each other. */
import type { Tuning, TuningRule } from 'tfjs-laplace';
import { plain } from './logAxis.js';

/** What the picture needs of a candidate. */
export type Tried = Pick<Tuning['chosen'], 'precision' | 'scale' | 'criterion' | 'difference'>;

/** What the picture needs of a tuning. */
export interface Tuned {
  readonly candidates: ReadonlyArray<Tried>;
  readonly chosen: Tried;
  readonly choices: Readonly<Record<TuningRule, Tried>>;
  readonly network: Readonly<Record<'plain' | 'fitted', Tried>>;
}

/** The axis ends where the curve is this many times as far above its foot as what has to be seen. */
const REACH = 3;
/** The least distance of two lines of words, in SVG units. */
const LINE = 14;

export const hasCriterion = ({ criterion }: Tried): boolean => Number.isFinite(criterion);

/**
 * The ends of the axis of the criterion. It shows the chosen candidate, the best one and the better form of the network, with their standard
 * errors. What lies far above them would make the rest flat: a curve is cut off there, and a network without its scale may lie beyond.
 */
export function criterionRange({ candidates, network, chosen }: Tuned): readonly [low: number, high: number] {
  const tried = candidates.filter(hasCriterion);
  const best = tried.reduce((a, b) => (b.criterion < a.criterion ? b : a));
  const needed = [best, chosen, better(network)].filter(hasCriterion);
  const error = Math.max(...needed.map(errorOf));
  const [least, most] = [Math.min, Math.max].map((of) => of(...needed.map(({ criterion }) => criterion))) as [number, number];
  const [low, high] = [least - error, most + error];
  const limit = high > low ? low + REACH * (high - low) : Number.POSITIVE_INFINITY;
  const curve = Math.max(...tried.map((own) => own.criterion + errorOf(own)));
  const lines = [network.plain.criterion, network.fitted.criterion].filter((value) => value <= limit);
  const top = Math.min(limit, Math.max(high, curve, ...lines));
  const margin = 0.05 * (top - low || Math.abs(low) || 1);
  return [low - margin, top + margin];
}

const better = ({ plain, fitted }: Tuned['network']): Tried => (plain.criterion < fitted.criterion ? plain : fitted);

/** The standard error of the difference; 0 where nothing is known about it. */
export const errorOf = ({ difference: { standardError } }: Tried): number => (Number.isFinite(standardError) ? standardError : 0);

/** A mark at a precision, for the rules that choose it. */
export interface Mark extends Tried {
  readonly words: string;
  readonly isChosen: boolean;
  /** The row of its words above the panel, from 0 at the bottom. */
  readonly row: number;
}

/**
 * One mark for each precision that some rule would choose, in ascending order. Their words stand to the right of their lines, in as many rows
 * as they need.
 *
 * @param at the place of a precision on the axis, in SVG units
 */
export function marksOf({ choices, chosen }: Tuned, at: (precision: number) => number): ReadonlyArray<Mark> {
  const rules = Object.entries(choices).filter(([, own]) => hasCriterion(own));
  const precisions = [...new Set(rules.map(([, own]) => own.precision))].sort((a, b) => a - b);
  const marks: Mark[] = [];
  for (const precision of [...precisions].reverse()) {
    const own = rules.filter(([, rule]) => rule.precision === precision);
    const isChosen = chosen.precision === precision;
    const words = `${own.map(([name]) => name).join(', ')}${isChosen ? ' (chosen)' : ''}, τ = ${plain(precision)}`;
    const end = at(precision) + widthOf(words);
    const below = marks.filter((mark) => at(mark.precision) < end).map(({ row }) => row + 1);
    marks.unshift({ ...(own[0]?.[1] as Tried), words, isChosen, row: Math.max(0, ...below) });
  }
  return marks;
}

/** Width of words in SVG units, rather too large than too small. */
const widthOf = (words: string): number => 6.4 * words.length + 12;

/**
 * Heights for words beside lines: as near to the lines as they can be, in their order, and not upon each other.
 *
 * @param heights SVG units from the top of the panel
 */
export function apart(heights: ReadonlyArray<number>): ReadonlyArray<number> {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] as number) - (heights[b] as number));
  const placed = [...heights];
  for (let k = 1; k < order.length; k++) {
    const [above, own] = [order[k - 1] as number, order[k] as number];
    const lack = LINE - ((placed[own] as number) - (placed[above] as number));
    if (lack <= 0) continue;
    placed[own] = (placed[own] as number) + lack / 2;
    placed[above] = (placed[above] as number) - lack / 2;
  }
  return placed;
}
