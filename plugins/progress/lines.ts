/** Progress as lines, for logs and pipes: no more than one every few seconds. */
import type { Progress } from 'tfjs-laplace';
import type { Display, Output } from './display.js';
import { count } from './words.js';

/** Shortest time between two lines of a step, in milliseconds. */
const INTERVAL = 5000;

/** Lines `title: 12 of 445 batches`, the first after one interval; steps that are shorter have their last line only. */
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
