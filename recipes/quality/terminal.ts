/** Prints a chapter to the terminal. */
import type { Report } from '../support/report.js';
import { type Chapter, unbroken } from './story.js';

/** Letters in a line. */
const WIDTH = 110;

/** Prints a chapter. A quiet report has its tables and what it finds, and leaves out its paragraphs. */
export function print(report: Report, { title, gist, blocks }: Chapter, number: number): void {
  report.heading(`${number}. ${title}`);
  report.result(wrapped(gist));
  for (const block of blocks) {
    if (block._tag === 'text') report.note(`\n${wrapped(block.text)}`);
    if (block._tag === 'table') {
      report.result('');
      report.table(block.head, block.rows);
    }
    if (block._tag === 'picture') report.note(`\n${wrapped(`[${block.name}.svg] ${block.caption}`)}`);
  }
}

/** Breaks a text between words into lines. */
function wrapped(words: string): string {
  const lines: string[] = [];
  for (const word of unbroken(words).split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
