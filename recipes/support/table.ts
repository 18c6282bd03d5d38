/** Tables for a terminal: the first column to the left, numbers to the right. */

/** Lines of a table, every cell already a string. */
export function table(head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => (row[c] ?? '').length)));
  const line = (cells: ReadonlyArray<string>): string =>
    widths
      .map((width, c) => (c === 0 ? (cells[c] ?? '').padEnd(width) : (cells[c] ?? '').padStart(width)))
      .join('   ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('   '), ...rows.map(line)].join('\n');
}

/** `97.85 %` */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** `10,000` */
export const count = (n: number): string => n.toLocaleString('en-US');

/** `+0.12 ± 0.05`, in per cent: a difference of shares and its standard error. */
export const difference = ({ mean, standardError }: { readonly mean: number; readonly standardError: number }): string =>
  `${mean < 0 ? '−' : '+'}${(100 * Math.abs(mean)).toFixed(2)} ± ${(100 * standardError).toFixed(2)}`;
