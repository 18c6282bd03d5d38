/** 1. The trained network against the linearised and the sampled predictive. */
import { weightSampling } from 'tfjs-laplace';
import { duration } from 'tfjs-laplace/plugins/progress';
import { percent } from '../support/table.js';
import { SEEDS } from './plan.js';
import { type Predictions, posteriorPredictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { COLUMNS, cells, DIFFERENCES, differenceCells, scoresOf, testDigits } from './scores.js';

/** Predicts the test set with sampled networks, and prints all three. */
export async function compare({ plan, report, progress }: Desk, results: Results): Promise<Predictions> {
  const { model, posterior, test, map, linearised } = results;
  // Whole networks, as many for all digits: on a large set cheaper than noise on every digit's activations, and in expectation the
  // same predictive.
  const predictive = weightSampling({ samples: plan.samples, seed: SEEDS.sampling });
  const sampled = await progress.step(`Sampled predictive, ${plan.samples} networks, ${testDigits(test)}`, (onProgress) =>
    posteriorPredictions(model, posterior, predictive, test, onProgress),
  );
  const row = (name: string, predictions: Predictions): ReadonlyArray<string> => [
    name,
    ...cells(scoresOf(predictions, test)),
    ...(predictions === map ? ['', ''] : differenceCells(predictions, map, test)),
    duration(predictions.milliseconds),
  ];
  report.heading(`1. The network itself against its posterior, ${testDigits(test)}`);
  report.table(
    ['', ...COLUMNS, ...DIFFERENCES, 'time'],
    [row('MAP', map), row('linearised', linearised), row(`sampled, ${plan.samples} networks`, sampled)],
  );
  report.note('± is one standard error of the paired difference over the digits. ECE: 15 bins. Lower is better for NLL and ECE.');
  if (scoresOf(sampled, test).nll > scoresOf(map, test).nll)
    report.note('Sampled weights leave the region where the quadratic approximation holds; the linearised network never does.');
  verdict(report.result, results);
  return sampled;
}

/** What the posterior changed, in words. */
function verdict(say: (text: string) => void, { test, map, linearised }: Results): void {
  const [own, its] = [scoresOf(linearised, test), scoresOf(map, test)];
  const by = (a: number, b: number): string => (a < b ? 'lower' : a > b ? 'higher' : 'same');
  const [nll, ece] = [Math.abs(own.nll - its.nll).toFixed(4), percent(Math.abs(own.ece - its.ece))];
  say(
    `Against the MAP the linearised predictive has the ${by(own.nll, its.nll)} NLL (by ${nll} nats) and the ${by(own.ece, its.ece)} ECE (by ${ece}).`,
  );
}
