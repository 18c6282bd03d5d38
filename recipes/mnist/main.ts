/**
 * Laplace approximation of an MNIST classifier, from training to pictures: `npm start`, or `npm start -- --help`.
 *
 * Everything random has a seed (plan.ts), including the order of the training images. So a run repeats exactly on the same
 * machine and backend. Backends add numbers in different orders, so that results differ between them in the last digits.
 */
import '../support/tensorflow.js';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { duration, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { runCommand } from '../support/command.js';
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
    report.note('The whole recipe takes about ten minutes on WASM, and far longer on cpu. --quick runs a small version.');
  const desk = { plan: planFor(options), report, progress: terminalProgress({ loudness: options.loudness }), out: options.out };
  const paths = await analyse(desk, options);
  report.result(`\nPictures: ${paths.join(', ')}`);
  report.note(`The whole recipe took ${duration(performance.now() - start)}.`);
}

await runCommand(readOptions(process.argv.slice(2)), HELP, main);
