/** Shows progress as a bar that is redrawn in place on the screen. */
import type { SingleBar } from 'cli-progress';
import type { Progress } from 'tfjs-laplace';
import { optionalPackage } from 'tfjs-laplace/extend';
import type { Display, Output } from './display.js';
import { count } from './words.js';

const OPTIONS = {
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  etaBuffer: 50,
};
const BOUNDED = '{title}  {bar}  {count}  about {eta_formatted} left';
/** Format of a step whose total is unknown. */
const UNBOUNDED = '{title}  {count}';

/**
 * Makes a display that writes the title at once, and draws the bar from the first event on. Rejects with `Backend` without the
 * package `cli-progress`.
 */
export async function barDisplay(output: Output, title: string): Promise<Display> {
  const cliProgress = (await optionalPackage('A progress bar', 'cli-progress', () => import('cli-progress'))).default;
  const stream = output as NodeJS.WriteStream;
  let bar: SingleBar | undefined;
  output.write(`${title} …\r`);
  return {
    update: (event: Progress) => {
      const total = event.total ?? event.done + 1;
      const payload = { title, count: count(event) };
      if (bar === undefined) {
        bar = new cliProgress.SingleBar({ ...OPTIONS, stream, format: event.total === undefined ? UNBOUNDED : BOUNDED });
        bar.start(total, 0, payload);
      }
      bar.setTotal(total);
      bar.update(event.done, payload);
    },
    end: (line) => {
      bar?.stop();
      output.write(`\r\u001b[K${line}\n`);
    },
  };
}
