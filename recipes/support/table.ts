/** Formats numbers for a terminal. */

/** Formats a share in [0, 1] as `97.85 %`. */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** Formats a whole number as `10,000`. */
export const count = (n: number): string => n.toLocaleString('en-US');

/** Formats a difference and its standard error: `−0.0162 ± 0.0014`. */
export const signed = (difference: number, standardError: number, digits = 4): string =>
  `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(digits)} ± ${standardError.toFixed(digits)}`;

/** Formats a difference of shares and its standard error, both in per cent: `+0.12 ± 0.05`. */
export const difference = ({ mean, standardError }: { readonly mean: number; readonly standardError: number }): string =>
  signed(100 * mean, 100 * standardError, 2);
