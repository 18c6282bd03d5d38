/** Puts the numbers of progress events into words. */
import type { Progress } from 'tfjs-laplace';

/** Gives `12 of 445 batches, epoch 2`, or `12 batches` when the total is unknown. */
export function count({ done, total, unit, detail }: Progress): string {
  const counted = total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
  return detail === undefined ? counted : `${counted}, ${detail}`;
}

/** Gives a duration as `830 ms`, `4.2 s` or `2 min 7 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
