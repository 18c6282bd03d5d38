/**
 * Laplace approximation of an MNIST classifier, from training to pictures: `npm start`, or `npm start -- --help`.
 *
 * Everything random has a seed (plan.ts), the order of the training images included, so that a run repeats on one machine and
 * backend; between backends sums are taken in other orders, and the last digits differ.
 */
import '../support/tensorflow.js';
import { either as E } from 'fp-ts';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { duration, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { createReport } from '../support/report.js';
import { analyse } from './analysis.js';
import { HELP, type Options, readOptions } from './options.js';
import { planFor } from './plan.js';

async function main(options: Options): Promise<void> {
  const start = performance.now();
  const report = createReport(options.loudness);
  const { name, reason, cost } = await useBackend(options.backend === undefined ? {} : { prefer: options.backend });
  report.note(`Backend ${name}: ${reason}. ${cost}`);
  if (name !== 'node' && !options.quick)
    report.note('On WASM the whole recipe takes about ten minutes, on cpu far longer; --quick does a small one.');
  const desk = { plan: planFor(options), report, progress: terminalProgress({ loudness: options.loudness }), out: options.out };
  const paths = await analyse(desk, options);
  report.result(`\nPictures: ${paths.join(', ')}`);
  report.note(`All of it took ${duration(performance.now() - start)}.`);
}

const options = readOptions(process.argv.slice(2));
if (E.isLeft(options)) {
  process.stderr.write(`${options.left}\n\n${HELP}`);
  process.exitCode = 2;
} else if (options.right.help) {
  process.stdout.write(HELP);
} else {
  await main(options.right).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (options.right.loudness === 'verbose') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
    process.exitCode = 1;
  });
}
