/** Tells the story: does the work, writes each chapter to the terminal and its pictures to files, and the page at the end. */
import { join } from 'node:path';
import { concatMap, filter, from, lastValueFrom, map, tap, toArray } from 'rxjs';
import { writePicture } from 'tfjs-laplace/plugins/plots';
import type { TerminalProgress } from 'tfjs-laplace/plugins/progress';
import { writeWhole } from 'tfjs-laplace/plugins/storage';
import type { Report } from '../support/report.js';
import { count } from '../support/table.js';
import { CHAPTERS } from './chapters/index.js';
import { find } from './found.js';
import type { Images } from './images.js';
import { type Drawn, pageOf } from './page.js';
import type { Plan } from './plan.js';
import type { Chapter } from './story.js';
import { print } from './terminal.js';

/** Where the story goes. */
export interface Desk {
  readonly report: Report;
  readonly progress: TerminalProgress;
  /** Folder of the page and its pictures. */
  readonly out: string;
}

const TITLE = 'How good are the uncertainties?';

const openingOf = ({ training, validation, guarantee, test }: Images): ReadonlyArray<string> => [
  'A small network learns to read handwritten digits (MNIST) from few images, so that it is too sure of itself. ' +
    'This page puts its Laplace approximation, tuned on images that were held out, beside the network itself. ' +
    'Every number was computed by the command that wrote the page.',
  `No image has two uses: ${count(training.count)} are for training, ${count(validation.count)} to choose on, ` +
    `${count(guarantee.count)} to fit the guarantees of chapters 4 and 6 on, and ${count(test.count)} test images to judge by.`,
  'In short:',
];

/**
 * Does the work and tells the story.
 *
 * @returns the path of the page
 */
export async function tell(plan: Plan, images: Images, { report, progress, out }: Desk): Promise<string> {
  const found = await find(plan, images, progress);
  const all = await lastValueFrom(
    from(CHAPTERS).pipe(
      concatMap(async (write, i) => {
        const chapter = await progress.step(`Writing chapter ${i + 1}`, () => written(write(found), out));
        return { ...chapter, number: i + 1 };
      }),
      tap(({ chapter, number }) => print(report, chapter, number)),
      toArray(),
    ),
  );
  for (const warning of new Set(all.flatMap(({ warnings }) => warnings))) report.result(warning);
  const path = join(out, 'index.html');
  await writeWhole(path, pageOf(TITLE, openingOf(images), all));
  return path;
}

/** Draws the pictures of a chapter and writes them. */
const written = (chapter: Chapter, out: string): Promise<Drawn & { readonly warnings: ReadonlyArray<string> }> =>
  lastValueFrom(
    from(chapter.blocks).pipe(
      filter((block) => block._tag === 'picture'),
      concatMap(async ({ name, draw }) => {
        const svg = await draw();
        const { warning } = await writePicture(out, name, svg);
        return { name, svg, warnings: warning === undefined ? [] : [warning] };
      }),
      toArray(),
      map((pictures) => ({
        chapter,
        pictures: Object.fromEntries(pictures.map(({ name, svg }) => [name, svg])),
        warnings: pictures.flatMap(({ warnings }) => warnings),
      })),
    ),
  );
