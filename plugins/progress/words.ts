/** Numbers of progress as words. */
import type { Progress } from 'tfjs-laplace';

/** `12 of 445 batches, epoch 2`, or `12 batches` where the end is not known. */
export function count({ done, total, unit, detail }: Progress): string {
  const counted = total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
  return detail === undefined ? counted : `${counted}, ${detail}`;
}

/** `830 ms`, `4.2 s`, `2 min 7 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
