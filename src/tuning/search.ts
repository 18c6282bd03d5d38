/**
 * Which prior precisions to try next. The search is on log τ, coarse and then fine: it begins around the maximum of the evidence, widens an
 * edge while a choice lies on it, and then fills the steps around the choices.
 */
import { best, type Candidate, widest } from './choose.js';

/** The bounds of τ. Beyond them a float32 posterior is the prior, or the trained network. */
export const BOUNDS = [1e-4, 1e8] as const;

/** The first step between two precisions: half a decade. The last is an eighth of a decade. */
const STEP = 0.5;
const FINEST = 0.125;
/** How many half decades are tried on either side of the start, and how many are added to an edge. */
const [AROUND, FURTHER] = [6, 4];

const within = (tau: number): boolean => tau >= BOUNDS[0] && tau <= BOUNDS[1];
const bounded = (tau: number): number => Math.min(BOUNDS[1], Math.max(BOUNDS[0], tau));

/** The first precisions, in ascending order. The start is among them. */
export const firstPrecisions = (start: number): ReadonlyArray<number> =>
  Array.from({ length: 2 * AROUND + 1 }, (_, i) => bounded(start) * 10 ** (STEP * (i - AROUND))).filter(within);

/** The precisions to try after these candidates; none when the search is at its end. `floor` is that of `widest`. */
export function nextPrecisions(candidates: ReadonlyArray<Candidate>, floor: number): ReadonlyArray<number> {
  const logs = candidates.map(({ precision }) => Math.log10(precision)).sort((a, b) => a - b);
  const [low, high] = [logs[0] as number, logs.at(-1) as number];
  const choices = [best(candidates), widest(candidates, floor)].map(({ precision }) => Math.log10(precision));
  const beyond = (edge: number, sign: -1 | 1): number[] =>
    choices.includes(edge) ? Array.from({ length: FURTHER }, (_, i) => edge + sign * STEP * (i + 1)) : [];
  const wider = [...beyond(low, -1), ...beyond(high, 1)].filter((t) => within(10 ** t));
  if (wider.length > 0) return wider.map((t) => 10 ** t);
  const isNew = (t: number): boolean => within(10 ** t) && logs.every((known) => Math.abs(known - t) > FINEST / 2);
  const finer = choices.flatMap((choice) => {
    if (isFine(logs, choice)) return [];
    return [-3, -2, -1, 1, 2, 3].map((k) => choice + FINEST * k).filter(isNew);
  });
  return [...new Set(finer)].map((t) => 10 ** t);
}

/** Whether both neighbours of a choice are the finest step away, or beyond the bounds. */
const isFine = (logs: ReadonlyArray<number>, choice: number): boolean =>
  ([-1, 1] as const).every(
    (sign) => !within(10 ** (choice + sign * FINEST)) || logs.some((t) => Math.abs(t - choice - sign * FINEST) < FINEST / 2),
  );
