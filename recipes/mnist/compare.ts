/** Question 1: the trained network, also at its best temperature, against the linearised and the sampled predictive. */
import { weightSampling } from 'tfjs-laplace';
import { duration } from 'tfjs-laplace/plugins/progress';
import { percent } from '../support/table.js';
import { precisionOf, scaleOf, short } from './choosing.js';
import { SEEDS } from './plan.js';
import { type Predictions, posteriorPredictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { COLUMNS, cells, DIFFERENCES, differenceCells, scoresOf, testDigits } from './scores.js';

/**
 * Predicts the test set with sampled networks, and prints the scores of all four.
 *
 * @returns the predictions of the sampled networks
 */
export async function compare({ plan, report, progress }: Desk, results: Results): Promise<Predictions> {
  const { model, choice, predictive: chosen, posterior, unscaled, test, map, mapAtBest, linearised } = results;
  // All digits share the same sampled networks. On a large set this is cheaper than activation sampling, which draws noise for
  // every digit. Both have the same predictive in expectation.
  const predictive = weightSampling({ samples: plan.samples, seed: SEEDS.sampling });
  const sampled = await progress.step(`Sampled predictive, ${plan.samples} networks, ${testDigits(test)}`, (onProgress) =>
    posteriorPredictions(model, unscaled, predictive, test, onProgress),
  );
  const row = (name: string, predictions: Predictions): ReadonlyArray<string> => [
    name,
    ...cells(scoresOf(predictions, test)),
    ...(predictions === mapAtBest ? ['', ''] : differenceCells(predictions, mapAtBest, test)),
    duration(predictions.milliseconds),
  ];
  report.heading(`1. The network itself against its posterior, ${testDigits(test)}`);
  report.table(
    ['', ...COLUMNS, ...DIFFERENCES, 'time'],
    [
      row('MAP', map),
      row(`MAP, temperature ${short(1 / choice.tuning.network.fitted.scale)}`, mapAtBest),
      row(`linearised, τ = ${short(precisionOf(posterior))}, s = ${short(scaleOf(chosen))}`, linearised),
      row(`sampled, ${plan.samples} networks, τ = ${short(precisionOf(unscaled))}`, sampled),
    ],
  );
  report.note('± is one standard error of the paired difference over the digits. ECE has 15 bins. Lower NLL and ECE are better.');
  if (scoresOf(sampled, test).nll > scoresOf(linearised, test).nll)
    report.note('Sampled weights leave the region where the quadratic approximation holds; the linearised network never does.');
  verdict(report.result, results);
  return sampled;
}

/** Says in a sentence what the posterior changed. */
function verdict(say: (text: string) => void, { test, mapAtBest, linearised }: Results): void {
  const [own, its] = [scoresOf(linearised, test), scoresOf(mapAtBest, test)];
  const by = (a: number, b: number): string => (a < b ? 'lower' : a > b ? 'higher' : 'same');
  const [nll, ece] = [Math.abs(own.nll - its.nll).toFixed(4), percent(Math.abs(own.ece - its.ece))];
  say(
    `Compared with the MAP at its best temperature, the linearised predictive has the ${by(own.nll, its.nll)} NLL (by ${nll} nats) and the ${by(own.ece, its.ece)} ECE (by ${ece}).`,
  );
}
