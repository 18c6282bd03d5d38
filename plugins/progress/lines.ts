/** Shows progress as lines, for logs and pipes: at most one line every few seconds. */
import type { Progress } from 'tfjs-laplace';
import type { Display, Output } from './display.js';
import { count } from './words.js';

/** Shortest time between two lines of a step, in milliseconds. */
const INTERVAL = 5000;

/**
 * Makes a display that writes lines like `title: 12 of 445 batches`, the first after one interval. A step that ends sooner writes
 * only its last line.
 *
 * @param now a clock, in milliseconds
 * @param interval shortest time between two lines, in milliseconds
 */
export function lineDisplay(output: Output, title: string, now: () => number, interval: number = INTERVAL): Display {
  let last = now();
  return {
    update: (event: Progress) => {
      if (now() - last < interval) return;
      last = now();
      output.write(`${title}: ${count(event)}\n`);
    },
    end: (line) => void output.write(`${line}\n`),
  };
}
