/** Prints a coverage. */
import { hasFields, type Kind, ofKind } from '../../codec/index.js';
import { orThrow } from '../../orThrow.js';
import type { Coverage } from './coverage.js';

/** What a pass would cover. */
const COVERAGE: Kind<Coverage> = {
  name: 'a coverage',
  is: (value): value is Coverage => hasFields('layers', 'coveredParameters', 'warnings')(value),
  remedies: [{ is: hasFields('getClassName'), remedy: 'coverage(model, options) computes one, in an Either.' }],
};

/** Formats a coverage as a table for people: one line for each block, then totals and warnings. */
export function coverageTable(coverage: Coverage): string {
  const own = orThrow(ofKind('coverageTable', COVERAGE, coverage));
  const { layers, parameters, coveredParameters, share, bytes, rowsPerExample: rows, warnings, ...rest } = own;
  const head = ['layer', 'class', 'block', 'weights', 'numbers', 'why'];
  const lines = layers.map((l) => [l.name, l.className, l.block, String(l.parameters), String(l.numbers), l.reason]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => (line[i] as string).length)));
  const row = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, i) => (i === 3 || i === 4 ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd();
  return [
    row(head),
    ...lines.map(row),
    '',
    `${coveredParameters} of ${parameters} weights are covered (${(100 * share).toFixed(1)} %)`,
    `sums ${(bytes / 2 ** 20).toFixed(1)} MiB; at most ${rows} rows sent back for each example`,
    `${(rest.operationsPerExample / 1e6).toFixed(1)} million operations an example, ${(rest.decomposition / 1e9).toFixed(1)} billion to decompose`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}
