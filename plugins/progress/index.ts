/** Shows progress events in the terminal: as a bar on a screen, as occasional lines in a pipe or log, or not at all. */
import type { OnProgress, Progress } from 'tfjs-laplace';
import { defaulted, func, literals, optional, optionsOf, refined, struct } from 'tfjs-laplace/extend';
import { barDisplay } from './bar.js';
import { type Display, type Output, silent } from './display.js';
import { lineDisplay } from './lines.js';
import { duration } from './words.js';

export type { Output } from './display.js';
export { duration } from './words.js';

/** How much is shown. 'quiet' shows nothing, 'normal' a bar or occasional lines, 'verbose' a line for every event. */
export type Loudness = 'quiet' | 'normal' | 'verbose';

/** Options of `terminalProgress`. */
export interface TerminalProgressOptions {
  /** How much is shown. Default 'normal'. */
  readonly loudness?: Loudness;
  /** Where to write. Default `process.stderr`, so that a pipe on stdout receives the results alone. */
  readonly output?: Output;
  /** A clock, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

const isOutput = (value: unknown): value is Output => typeof (value as Partial<Output> | null)?.write === 'function';

const Options = struct('options', {
  loudness: defaulted(literals('quiet', 'normal', 'verbose'), 'normal'),
  output: optional(refined('a stream with write(text)', isOutput)),
  now: defaulted(func<() => number>('a function () => number'), () => performance.now()),
});

/** Shows the progress of long steps. */
export interface TerminalProgress {
  /**
   * Runs a step and shows its progress. When the step ends, one line with the time that it took remains. When the step fails,
   * that line says so, and the returned promise rejects with the step's error. A bar needs the package `cli-progress`: without it
   * the promise rejects with `Backend` before the step begins.
   *
   * @param title what the step does, shown beside the progress
   * @param work the step; it receives a function for its progress events
   * @returns the result of `work`
   */
  readonly step: <A>(title: string, work: (onProgress: OnProgress) => Promise<A> | A) => Promise<A>;
}

/**
 * Makes a progress display for a terminal program. It shows one step at a time.
 *
 * @throws LaplaceError `InvalidOption` for an unknown `loudness`.
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
  const { loudness, output = process.stderr, now } = optionsOf('terminalProgress', Options, options);
  return {
    step: async (title, work) => {
      const display = await displayFor(loudness, output, title, now);
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

async function displayFor(loudness: Loudness, output: Output, title: string, now: () => number): Promise<Display> {
  if (loudness === 'quiet') return silent;
  if (loudness === 'verbose') return lineDisplay(output, title, now, 0);
  return output.isTTY ? barDisplay(output, title) : lineDisplay(output, title, now);
}
