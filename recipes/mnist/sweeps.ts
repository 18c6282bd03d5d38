/**
 * Question 2: how do the number of samples and the temperature change the sampled predictive? On few digits activation sampling
 * is cheaper than drawing whole networks, and the predictive of each digit is the same in expectation. The posterior is the one for
 * sampled networks (see `choosing.ts`).
 */
import { activationSampling, type Predictive } from 'tfjs-laplace';
import { duration } from 'tfjs-laplace/plugins/progress';
import { percent } from '../support/table.js';
import { precisionOf, short } from './choosing.js';
import { type Digits, slice } from './digits.js';
import { SEEDS } from './plan.js';
import { posteriorPredictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { scoresOf, testDigits } from './scores.js';

const COLUMNS = ['accuracy', 'NLL (nats)', 'mean uncertainty (nats)', 'time'];

/** Predicts the first test digits for each number of samples and each temperature, and prints the scores. */
export async function sweeps(desk: Desk, results: Results): Promise<void> {
  const { plan, report } = desk;
  const digits = slice(results.test, 0, plan.sweep);
  const tau = short(precisionOf(results.unscaled));
  const sampled = (samples: number, temperature: number) => activationSampling({ samples, temperature, seed: SEEDS.sampling });

  const bySamples: string[][] = [];
  for (const n of plan.sampleCounts) bySamples.push([String(n), ...(await row(desk, results, digits, sampled(n, 1)))]);
  report.heading(`2. Number of samples at temperature 1, activation sampling, τ = ${tau}, the first ${testDigits(digits)}`);
  report.table(['samples', ...COLUMNS], bySamples);

  const byTemperature: string[][] = [];
  for (const T of plan.temperatures)
    byTemperature.push([String(T), ...(await row(desk, results, digits, sampled(plan.sweepSamples, T)))]);
  report.heading(`   Temperature with ${plan.sweepSamples} samples, the same digits`);
  report.table(['temperature', ...COLUMNS], byTemperature);
  report.note('Temperature scales the covariance of the weights. Uncertainty is predictive entropy.');
}

async function row({ progress }: Desk, { model, unscaled }: Results, digits: Digits, predictive: Predictive): Promise<string[]> {
  const { temperature, ...rest } = predictive;
  const samples = 'samples' in rest ? rest.samples : 0;
  const predictions = await progress.step(`${samples} samples at temperature ${temperature}`, (onProgress) =>
    posteriorPredictions(model, unscaled, predictive, digits, onProgress),
  );
  const { accuracy, nll, entropy } = scoresOf(predictions, digits);
  return [percent(accuracy), nll.toFixed(4), entropy.toFixed(3), duration(predictions.milliseconds)];
}
