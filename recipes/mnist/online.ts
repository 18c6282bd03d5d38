/**
 * Question 6: how do the factors of the last epoch, in which the weights moved, differ from the factors of one pass at the final
 * weights?
 */
import { type Factors, type Matrix, moments, orThrow, type Predictive } from 'tfjs-laplace';
import { percent } from '../support/table.js';
import { scaleOf } from './choosing.js';
import type { Predictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { COLUMNS, cells, DIFFERENCES, differenceCells, scoresOf, testDigits } from './scores.js';

/** Factors of the last epoch and of the pass. */
export interface OnlineAndPass {
  readonly online: Factors;
  readonly pass: Factors;
  /** The linearised predictive with the scale that suits the pass, at the same prior precision. */
  readonly predictive: Predictive;
  /** Its predictions of the test set. */
  readonly predictions: Predictions;
}

/** Prints how far the two sets of factors differ, and how far their linearised predictives do. */
export function onlineAgainstPass(
  { report }: Desk,
  { test, predictive, mapAtBest, linearised }: Results,
  other: OnlineAndPass,
): void {
  report.heading('6. Factors of the last epoch against factors of a pass at the final weights');
  report.table(['layer', 'A differs by', 'trace of A, ratio', 'G differs by', 'trace of G, ratio'], differences(other));
  report.note('Differences are Frobenius norms relative to the pass. Ratios are last epoch to pass.');
  report.note(
    'G: a training step computes gradients before it fits the labels of its batch. The pass does so after all are fitted.',
  );
  report.heading(`   What that does to the linearised predictive, ${testDigits(test)}`);
  const row = (name: string, by: Predictive, own: Predictions) => [
    name,
    scaleOf(by).toFixed(2),
    ...cells(scoresOf(own, test)),
    ...differenceCells(own, mapAtBest, test),
  ];
  report.table(
    ['factors', 's', ...COLUMNS, ...DIFFERENCES],
    [row('last epoch', predictive, linearised), row('pass', other.predictive, other.predictions)],
  );
  report.note('Both at the same τ, each with the scale that suits it on the held-out images.');
}

function differences({ online, pass }: OnlineAndPass): string[][] {
  const [own, others] = [momentsOf(online), momentsOf(pass)];
  return own.map(({ name, input, gradient }, i) => {
    const other = others[i] as (typeof others)[number];
    return [
      name,
      percent(relativeDifference(input, other.input), 1),
      (trace(input) / trace(other.input)).toFixed(3),
      percent(relativeDifference(gradient, other.gradient), 1),
      (trace(gradient) / trace(other.gradient)).toFixed(3),
    ];
  });
}

function momentsOf(factors: Factors) {
  // All layers of the recipe are dense and small, so that each has two factors.
  return orThrow(moments(factors)).flatMap((layer) =>
    layer.structure === 'kronecker' ? [{ name: layer.layout.name, ...layer.parts }] : [],
  );
}

/** The distance ‖a − b‖ / ‖b‖ in the Frobenius norm. */
export function relativeDifference(a: Matrix, b: Matrix): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.data.length; i++) {
    difference += ((a.data[i] as number) - (b.data[i] as number)) ** 2;
    norm += (b.data[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}

export function trace({ rows, cols, data }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * cols + i] as number;
  return sum;
}
