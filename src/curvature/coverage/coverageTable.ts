/** Prints a coverage. */
import type { Coverage } from './coverage.js';

/** Formats a coverage as a table for people: one line for each block, then totals and warnings. */
export function coverageTable({
  layers,
  parameters,
  coveredParameters,
  share,
  bytes,
  rowsPerExample: rows,
  warnings,
  ...rest
}: Coverage): string {
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
