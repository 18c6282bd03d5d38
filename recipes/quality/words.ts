/** Numbers with their standard errors, and what a difference means in words. */
import type { Estimate } from 'tfjs-laplace';
import { signed } from '../support/table.js';
import type { Scores } from './found.js';

/** Gives `0.1740 ± 0.0064`. */
export const withError = ({ value, standardError }: Estimate, digits = 4): string =>
  `${value.toFixed(digits)} ± ${standardError.toFixed(digits)}`;

const hundredfold = ({ value, standardError }: Estimate): Estimate => ({
  value: 100 * value,
  standardError: 100 * standardError,
});

/** Gives `94.64 ± 0.23 %`. */
export const share = (estimate: Estimate, digits = 2): string => `${withError(hundredfold(estimate), digits)} %`;

/** Gives `−0.0157 ± 0.0021`. */
export const change = ({ value, standardError }: Estimate, digits = 4): string => signed(value, standardError, digits);

/** Gives `+0.12 ± 0.05 %`, of shares. */
export const shareChange = (estimate: Estimate, digits = 2): string => `${change(hundredfold(estimate), digits)} %`;

/** A difference counts if it is more than so many of its standard errors. */
const CLEAR = 2;

export const isClear = ({ value, standardError }: Estimate): boolean => Math.abs(value) > CLEAR * standardError;

/**
 * What a difference says: 'lower than that of the network by 0.0157 ± 0.0021 nats', or that it may be chance.
 *
 * @param other what is compared with: 'that of the network'
 * @param unit is put behind the numbers
 */
export function compared(difference: Estimate, other: string, unit = '', digits = 4): string {
  const behind = unit === '' ? '' : ` ${unit}`;
  if (!isClear(difference)) return `the same as ${other} within two standard errors (${change(difference, digits)}${behind})`;
  const size = { value: Math.abs(difference.value), standardError: difference.standardError };
  return `${difference.value < 0 ? 'lower' : 'higher'} than ${other} by ${withError(size, digits)}${behind}`;
}

/** The same for shares, in per cent. */
export const comparedShares = (difference: Estimate, other: string): string => compared(hundredfold(difference), other, '%', 2);

/** A score by its name. */
export const scoreOf = (scores: Scores, name: string): Estimate => scores[name] as Estimate;

/** How a score differs from the baseline's. */
export const differenceOf = (scores: Scores, name: string): Estimate => scores[name]?.difference as Estimate;

/** The share of `n` examples that an event was seen in, with its standard error. */
export const seen = (events: number, n: number): Estimate => ({
  value: events / n,
  standardError: Math.sqrt(((events / n) * (1 - events / n)) / n),
});
