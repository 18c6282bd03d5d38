/** Prints what a recipe has to say. Results are always printed, explanations unless the recipe is told to be quiet. */
import { textTable } from 'tfjs-laplace/extend';
import type { Loudness } from 'tfjs-laplace/plugins/progress';

/** Prints the results of a recipe. */
export interface Report {
  readonly heading: (text: string) => void;
  readonly table: (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) => void;
  /** Prints a result in words. */
  readonly result: (text: string) => void;
  /** Prints an explanation, except when 'quiet'. */
  readonly note: (text: string) => void;
  /** Prints a detail, only when 'verbose'. */
  readonly detail: (text: string) => void;
}

/**
 * Makes a report.
 *
 * @param loudness how much is printed
 * @param write prints one text, which may have several lines; default `console.log`
 */
export function createReport(loudness: Loudness, write: (line: string) => void = console.log): Report {
  return {
    heading: (text) => write(`\n${text}\n`),
    table: (head, rows) => write(textTable(head, rows)),
    result: write,
    note: (text) => {
      if (loudness !== 'quiet') write(text);
    },
    detail: (text) => {
      if (loudness === 'verbose') write(`  ${text}`);
    },
  };
}
