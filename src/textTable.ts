/** Tables for terminals. */

/**
 * Formats a table as lines of text. The first column is aligned to the left, the others to the right.
 *
 * @param head titles of the columns
 * @param rows cells as text; a missing cell is empty
 */
export function textTable(head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => (row[c] ?? '').length)));
  const line = (cells: ReadonlyArray<string>): string =>
    widths
      .map((width, c) => (c === 0 ? (cells[c] ?? '').padEnd(width) : (cells[c] ?? '').padStart(width)))
      .join('   ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('   '), ...rows.map(line)].join('\n');
}
