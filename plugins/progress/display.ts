/** What every way of showing progress does. */
import type { Progress } from 'tfjs-laplace';

/** Where progress is written: a stream of Node's, or anything that takes lines. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows one step from its start to its end. */
export interface Display {
  readonly update: (event: Progress) => void;
  /** Takes the display away and leaves this line. */
  readonly end: (line: string) => void;
}

/** Shows nothing. */
export const silent: Display = { update: () => {}, end: () => {} };
