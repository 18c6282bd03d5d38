/** Progress events in the terminal: a bar where there is a screen, a line now and then where there is a pipe, or nothing. */
import type { OnProgress, Progress } from 'tfjs-laplace';
import { barDisplay } from './bar.js';
import { type Display, type Output, silent } from './display.js';
import { lineDisplay } from './lines.js';
import { duration } from './words.js';

export type { Output } from './display.js';
export { duration } from './words.js';

/** How much is shown: `verbose` adds a line for every event. */
export type Loudness = 'quiet' | 'normal' | 'verbose';

/** Options of `terminalProgress`. */
export interface TerminalProgressOptions {
  /** Default 'normal'. */
  readonly loudness?: Loudness;
  /** Where to write. Default `process.stderr`, so that results can be piped away from it. */
  readonly output?: Output;
  /** Time in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Shows what takes long. */
export interface TerminalProgress {
  /**
   * Runs a step under a title. The step gets a function for its events; when it ends, one line with the time it took stays. A
   * step that fails leaves a line that says so, and its error goes on.
   */
  readonly step: <A>(title: string, work: (onProgress: OnProgress) => Promise<A> | A) => Promise<A>;
}

/**
 * Progress for a terminal program; one step at a time.
 *
 * @example
 * ```ts
 * import { terminalProgress } from 'tfjs-laplace/plugins/progress';
 *
 * const progress = terminalProgress({ loudness: 'quiet' });
 * const answer = await progress.step('Thinking', async (onProgress) => {
 *   onProgress({ phase: 'predict', done: 1, total: 1, unit: 'batches' });
 *   return 42;
 * });
 * answer; // => 42
 * ```
 */
export function terminalProgress(options: TerminalProgressOptions = {}): TerminalProgress {
  const { loudness = 'normal', output = process.stderr, now = () => performance.now() } = options;
  return {
    step: async (title, work) => {
      const display = displayFor(loudness, output, title, now);
      const start = now();
      let ending = 'failed after';
      try {
        const result = await work((event: Progress) => display.update(event));
        ending = 'took';
        return result;
      } finally {
        display.end(`${title} ${ending} ${duration(now() - start)}`);
      }
    },
  };
}

function displayFor(loudness: Loudness, output: Output, title: string, now: () => number): Display {
  if (loudness === 'quiet') return silent;
  if (loudness === 'verbose') return lineDisplay(output, title, now, 0);
  return output.isTTY ? barDisplay(output, title) : lineDisplay(output, title, now);
}
