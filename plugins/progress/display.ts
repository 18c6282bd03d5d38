/** The interface of every way to show progress. */
import type { Progress } from 'tfjs-laplace';

/** Where progress is written: a Node stream, or any object with this `write`. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows one step from its start to its end. */
export interface Display {
  readonly update: (event: Progress) => void;
  /** Removes the display and writes this line. */
  readonly end: (line: string) => void;
}

/** A display that shows nothing. */
export const silent: Display = { update: () => {}, end: () => {} };
