/** Question 5: about which test digits is the linearised predictive least certain? */
import { predictedClasses } from 'tfjs-laplace';
import type { Predictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { testDigits } from './scores.js';

const COUNT = 10;

/**
 * Prints the most uncertain test digits.
 *
 * @returns their numbers in the test set, the most uncertain first
 */
export function uncertain({ report }: Desk, { test, linearised }: Results): ReadonlyArray<number> {
  const most = mostUncertain(linearised, COUNT);
  const predicted = predictedClasses(linearised.probabilities);
  report.heading(`5. The ${COUNT} most uncertain of ${testDigits(test)}, linearised predictive`);
  report.table(
    ['digit', 'is', 'predicted', 'entropy (nats)', 'epistemic (nats)', ...Array.from({ length: 10 }, (_, c) => `p(${c})`)],
    most.map((b) => [
      `#${b}`,
      String(test.labels[b]),
      String(predicted[b]),
      (linearised.entropy[b] as number).toFixed(3),
      (linearised.mutualInformation[b] as number).toFixed(3),
      ...Array.from(linearised.probabilities[b] as Float32Array, (p) => p.toFixed(2)),
    ]),
  );
  return most;
}

/** The numbers of the n examples with the highest entropy, the most uncertain first. */
export const mostUncertain = ({ entropy }: Predictions, n: number): ReadonlyArray<number> =>
  Array.from(entropy, (h, b) => [h, b] as const)
    .sort(([h, b], [k, c]) => k - h || b - c)
    .slice(0, n)
    .map(([, b]) => b);
