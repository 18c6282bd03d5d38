/**
 * Data for regression. `diabetes.csv` are the 442 patients of Efron, Hastie, Johnstone & Tibshirani 2004 (Least Angle Regression), ten
 * measurements and a measure of disease progression after a year, as scikit-learn 1.7.2 (BSD 3-clause) ships them:
 * `load_diabetes(scaled=False)`. The other data are generated: Friedman 1991, the first function, with standard normal noise.
 */
import { readFileSync } from 'node:fs';
import { normal, permutation, uniform } from '../../recipes/support/random.js';

/** Inputs [N][D] and targets [N]. */
export interface Rows {
  readonly x: ReadonlyArray<ReadonlyArray<number>>;
  readonly y: ReadonlyArray<number>;
}

/** Standardised by the means and deviations of the training rows. */
export interface Split {
  readonly training: Rows;
  readonly test: Rows;
}

function diabetes(): Rows {
  const lines = readFileSync(new URL('diabetes.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const rows = lines.map((line) => line.split(',').map(Number));
  return { x: rows.map((row) => row.slice(0, -1)), y: rows.map((row) => row.at(-1) as number) };
}

/** y = 10 sin(π x₁ x₂) + 20 (x₃ − ½)² + 10 x₄ + 5 x₅ + noise, for ten uniform inputs. */
function friedman(count: number, seed: number): Rows {
  const [next, noise] = [uniform(seed), normal(seed + 1)];
  const x = Array.from({ length: count }, () => Array.from({ length: 10 }, next));
  const y = x.map(
    ([a, b, c, d, e]: ReadonlyArray<number>) =>
      10 * Math.sin(Math.PI * (a as number) * (b as number)) +
      20 * ((c as number) - 0.5) ** 2 +
      10 * (d as number) +
      5 * (e as number) +
      noise(),
  );
  return { x, y };
}

/** The data sets by name: the rows of a seed, and the share of them that is trained on. */
export const DATA: Readonly<Record<string, (seed: number) => Split>> = {
  diabetes: (seed) => split(diabetes(), 0.8, seed),
  friedman: (seed) => split(friedman(1200, 10 * seed), 1 / 3, seed),
};

function split({ x, y }: Rows, share: number, seed: number): Split {
  const order = Array.from(permutation(y.length, 500 + seed));
  const n = Math.round(share * y.length);
  const [xs, ys] = [
    scaling(order.slice(0, n).map((i) => x[i] as number[])),
    scaling(order.slice(0, n).map((i) => [y[i] as number])),
  ];
  const rows = (own: ReadonlyArray<number>): Rows => ({
    x: own.map((i) => xs(x[i] as number[])),
    y: own.map((i) => ys([y[i] as number])[0] as number),
  });
  return { training: rows(order.slice(0, n)), test: rows(order.slice(n)) };
}

/** Standardises by the means and standard deviations of these rows. */
function scaling(rows: ReadonlyArray<ReadonlyArray<number>>): (row: ReadonlyArray<number>) => number[] {
  const columns = (rows[0] as number[]).map((_, j) => rows.map((row) => row[j] as number));
  const means = columns.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
  const deviations = columns.map((own, j) =>
    Math.sqrt(own.reduce((sum, v) => sum + (v - (means[j] as number)) ** 2, 0) / own.length),
  );
  return (row) => row.map((v, j) => (v - (means[j] as number)) / (deviations[j] as number));
}
