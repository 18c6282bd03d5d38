/**
 * Laplace approximation of a convolutional network with batch normalisation: `npm run lenet`, or `npm run lenet -- --quick`.
 * Prints which weights are covered, and compares four structures of curvature on digits, upright and rotated.
 *
 *   --quick       use few digits, and take less than half a minute
 *   --out DIR     folder for the picture; default out/lenet
 *   --quiet       print results only
 */
import '../support/tensorflow.js';
import { parseArgs } from 'node:util';
import { auroc, calibration, coverage, coverageTable, orThrow, type Posterior, tune } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { reliabilityDiagram, writePicture } from 'tfjs-laplace/plugins/plots';
import { duration, type Loudness, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { precisionOf, scaleOf, short } from '../mnist/choosing.js';
import { testSet, trainingSet } from '../mnist/data.js';
import { batchesOf, type Digits, slice } from '../mnist/digits.js';
import { trainOn } from '../mnist/plainTraining.js';
import { BATCH, networkPredictions, type Predictions, posteriorPredictions, rescaled } from '../mnist/predictions.js';
import { rotated } from '../mnist/rotate.js';
import { scoresOf, testDigits } from '../mnist/scores.js';
import { createReport } from '../support/report.js';
import { count, percent } from '../support/table.js';
import { createLenet } from './network.js';
import { factorsOf, KFAC, LIKELIHOOD, posteriorOf, STRUCTURES } from './structures.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'out/lenet' },
    quiet: { type: 'boolean', default: false },
  },
});
const plan = values.quick
  ? { training: 500, heldOut: 100, test: 100, epochs: 12, angles: [90] }
  : { training: 6000, heldOut: 1000, test: 2000, epochs: 10, angles: [45, 90] };

const start = performance.now();
const loudness: Loudness = values.quiet ? 'quiet' : 'normal';
const report = createReport(loudness);
const progress = terminalProgress({ loudness });
const { name, reason } = await useBackend();
report.note(`Backend ${name}: ${reason}.`);

const all = trainingSet();
const training = slice(all, 0, plan.training);
const heldOut = slice(all, all.count - plan.heldOut, all.count);
const upright = slice(testSet(), 0, plan.test);
const groups: ReadonlyArray<Digits> = [upright, ...plan.angles.map((angle) => rotated(upright, angle))];

const model = createLenet();
const loss = await progress.step(`Training LeNet on ${count(plan.training)} digits`, (onProgress) =>
  trainOn(model, training, { epochs: plan.epochs, seed: 0, batchSize: 64 }, (done) =>
    onProgress({ phase: 'train', done, total: plan.epochs, unit: 'epochs' }),
  ),
);
report.note(`Training loss of the last epoch: ${loss.toFixed(4)} nats`);

report.heading('What kfac covers');
report.result(coverageTable(orThrow(coverage(model, { likelihood: LIKELIHOOD, curvature: KFAC }))));

/**
 * One row of the table: how good the predictions are, and how well their entropy tells rotated digits from upright ones.
 *
 * @param title name of the posterior
 * @param predictions for the upright digits, then for each rotation
 * @param facts further cells, printed after the title
 */
function row(title: string, [own, ...turned]: ReadonlyArray<Predictions>, facts: ReadonlyArray<string>): string[] {
  const negatives = (own as Predictions).entropy;
  const { accuracy, nll, ece } = scoresOf(own as Predictions, upright);
  const found = turned.map(({ entropy: positives }) => orThrow(auroc({ positives, negatives })).toFixed(3));
  return [title, ...facts, percent(accuracy), nll.toFixed(4), percent(ece), ...found];
}

const map: Predictions[] = [];
for (const digits of groups) map.push(await networkPredictions(model, digits));
const rows = [row('MAP', map, ['', '', '', ''])];
const compared = [{ name: 'MAP', bins: orThrow(calibration((map[0] as Predictions).probabilities, upright.labels)).bins }];
let basis: Posterior | undefined;
for (const [title, curvature] of STRUCTURES) {
  const factors = await progress.step(`${title}: one pass over the training digits`, (onProgress) =>
    factorsOf(model, training, curvature, onProgress, curvature._tag === 'ekfac' ? basis : undefined),
  );
  const broad = await posteriorOf(factors);
  basis ??= broad;
  const { posterior, predictive, network, verdict } = await progress.step(
    `${title}: prior precision and scale by NLL on ${count(heldOut.count)} held-out digits`,
    (onProgress) => tune(model, broad, batchesOf(heldOut, BATCH), {}, { onProgress }),
  );
  if (verdict !== 'better')
    report.result(`${title}: no better than the MAP at its best temperature, by one standard error on the held-out digits.`);
  if (rows.length === 1) {
    const { scale } = network.fitted;
    rows.push(
      row(
        'MAP, temperature',
        map.map((own) => rescaled(own, scale)),
        ['', '', '', short(scale)],
      ),
    );
  }
  const predictions: Predictions[] = [];
  for (const [i, digits] of groups.entries()) {
    const what = i === 0 ? 'upright' : `rotated by ${plan.angles[i - 1]}°`;
    predictions.push(
      await progress.step(`${title}: ${count(digits.count)} test digits, ${what}`, (onProgress) =>
        posteriorPredictions(model, posterior, predictive, digits, onProgress),
      ),
    );
  }
  const weights = broad.layers.reduce((sum, { groups: P, n, m }) => sum + P * n * m, 0);
  const facts = [
    count(weights),
    (factors.rows / factors.count).toFixed(2),
    short(precisionOf(posterior)),
    short(scaleOf(predictive)),
  ];
  rows.push(row(title, predictions, facts));
  compared.push({ name: title, bins: orThrow(calibration((predictions[0] as Predictions).probabilities, upright.labels)).bins });
}

report.heading(`Linearised predictives on ${testDigits(upright)}, τ and s chosen for each on held-out digits`);
report.table(
  [
    'posterior',
    'weights',
    'rows an example',
    'τ',
    's',
    'accuracy',
    'NLL (nats)',
    'ECE',
    ...plan.angles.map((a) => `AUROC, ${a}°`),
  ],
  rows,
);
report.note('AUROC: how well predictive entropy tells rotated digits from upright ones. 0.5 is guessing, 1 is perfect.');
report.note('s scales the outputs; for the MAP it is the inverse of its best temperature.');
report.note('Rows an example: gradients that the truncated Fisher sends back through the network. The exact one sends ten.');

const svg = await reliabilityDiagram({
  title: 'Confidence and accuracy of a LeNet',
  subtitle: `${testDigits(upright)}, 15 bins; vertical lines are 68 % intervals`,
  series: compared.filter(({ name: title }) => ['MAP', 'kfac', 'diagonal'].includes(title)),
});
const { png, svg: vector, warning } = await writePicture(values.out, 'reliability', svg);
if (warning !== undefined) report.result(warning);
report.result(`\nPictures: ${png}, ${vector}`);
report.note(`The whole recipe took ${duration(performance.now() - start)}.`);
