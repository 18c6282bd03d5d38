/**
 * Temperature scaling: softmax(log p / T) with one T > 0 for all classes. Because log p are the logits up to a constant in each row, it
 * is the same as dividing the logits by T. It never changes the order of the classes. T minimises the mean NLL, which is convex in
 * β = 1/T: the root of its derivative
 *
 *   g(β) = 1/N Σ_i Σ_c (softmax(β z_i)_c − [c = y_i]) z_ic,   g'(β) = 1/N Σ_i Var z_i under softmax(β z_i),
 *
 * is found by Newton's steps within a bracket. T stays between 0.001 and 1000: labels that are all predicted right have no best T.
 * Reference: Guo, Pleiss, Sun & Weinberger 2017, section 4.2. O(N C) a step.
 */
import { make, positive, variant } from '../codec/index.js';
import type { NumberRows } from '../metrics/rows.js';
import { logProbabilities, softmax } from './logits.js';
import type { CalibrationRule } from './rule.js';

export const TemperatureMethod = variant('temperature', {});
export const TemperatureMap = variant('temperature', {
  /** T > 0: above 1 for probabilities that are too sure. */
  temperature: positive,
});

type Method = (typeof TemperatureMethod)['_A'];

/**
 * Temperature scaling for `fitCalibrator` (Guo et al. 2017): one number, which never changes the order of the classes.
 *
 * @example
 * ```ts
 * import { temperatureScaling } from 'tfjs-laplace';
 *
 * temperatureScaling(); // => { _tag: 'temperature' }
 * ```
 */
export const temperatureScaling = (): Method => make('temperatureScaling', TemperatureMethod, {}, 'temperature');

export const temperatureRule: CalibrationRule<Method, (typeof TemperatureMap)['_A']> = {
  fit: (_, rows, labels) => Object.freeze({ _tag: 'temperature', temperature: 1 / inverseTemperature(rows, labels) }),
  apply: ({ temperature }, row) => softmax(logProbabilities(row).map((z) => z / temperature)),
  suits: () => true,
};

const [COLDEST, HOTTEST] = [1e-3, 1e3];
/** Newton's steps converge quadratically, and the bracket halves in log β otherwise: 20 steps are common. */
const STEPS = 200;

function inverseTemperature(rows: NumberRows, labels: ArrayLike<number>): number {
  const logits = rows.map(logProbabilities);
  const at = (beta: number) => slope(logits, labels, beta);
  let [low, high] = [1 / HOTTEST, 1 / COLDEST];
  if (at(1).first === 0) return 1;
  if (at(low).first >= 0) return low;
  if (at(high).first <= 0) return high;
  let beta = 1;
  for (let step = 0; step < STEPS; step++) {
    const { first, second } = at(beta);
    if (first === 0) return beta;
    if (first > 0) high = beta;
    else low = beta;
    const newton = beta - first / second;
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    if (Math.abs(next - beta) <= 1e-14 * beta) return next;
    beta = next;
  }
  return beta;
}

/** g and g' at β. */
function slope(
  logits: ReadonlyArray<Float64Array>,
  labels: ArrayLike<number>,
  beta: number,
): { readonly first: number; readonly second: number } {
  let [first, second] = [0, 0];
  logits.forEach((z, i) => {
    const p = softmax(z.map((v) => beta * v));
    const mean = p.reduce((sum, q, c) => sum + q * (z[c] as number), 0);
    first += mean - (z[labels[i] as number] as number);
    second += p.reduce((sum, q, c) => sum + q * ((z[c] as number) - mean) ** 2, 0);
  });
  return { first: first / logits.length, second: second / logits.length };
}
