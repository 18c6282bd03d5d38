/** What a recipe prints: results always, words around them unless it is told to be quiet. */
import type { Loudness } from 'tfjs-laplace/plugins/progress';
import { table } from './table.js';

/** Prints results. */
export interface Report {
  readonly heading: (text: string) => void;
  readonly table: (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) => void;
  /** A result in words. */
  readonly result: (text: string) => void;
  /** An explanation: not when quiet. */
  readonly note: (text: string) => void;
  /** Something for those who want to know everything: only when verbose. */
  readonly detail: (text: string) => void;
}

/** A report that writes lines. */
export function createReport(loudness: Loudness, write: (line: string) => void = console.log): Report {
  return {
    heading: (text) => write(`\n${text}\n`),
    table: (head, rows) => write(table(head, rows)),
    result: write,
    note: (text) => {
      if (loudness !== 'quiet') write(text);
    },
    detail: (text) => {
      if (loudness === 'verbose') write(`  ${text}`);
    },
  };
}
