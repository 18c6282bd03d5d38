/**
 * How good the uncertainties of a tuned posterior are, as a story with pictures: `npm run quality`, or `npm run quality -- --help`.
 *
 * Everything random has a seed (plan.ts), so that a run repeats exactly on the same machine and backend.
 */
import '../support/tensorflow.js';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { duration, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { testSet, trainingSet } from '../mnist/data.js';
import { type CommonOptions, runCommand } from '../support/command.js';
import { createReport } from '../support/report.js';
import { imagesFor } from './images.js';
import { HELP, readOptions } from './options.js';
import { planFor } from './plan.js';
import { tell } from './tell.js';

async function main({ quick, out, backend, loudness }: CommonOptions): Promise<void> {
  const start = performance.now();
  const report = createReport(loudness);
  const progress = terminalProgress({ loudness });
  const { name, reason, cost } = await useBackend(backend === undefined ? {} : { prefer: backend });
  report.note(`Backend ${name}: ${reason}. ${cost}`);
  const plan = planFor({ quick });
  const images = await progress.step('Reading MNIST', () => imagesFor(plan, { training: trainingSet(), test: testSet() }));
  const page = await tell(plan, images, { report, progress, out });
  report.result(`\nThe page, with all pictures: ${page}`);
  report.note(`The whole recipe took ${duration(performance.now() - start)}.`);
}

await runCommand(readOptions(process.argv.slice(2)), HELP, main);
