/** What holds for every prediction, covariance and pair of factors, whatever the network and the data. */
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import type { Classification, Factors, OutputPrediction, Outputs, Prediction, Regression } from 'tfjs-laplace';
import { matricesOf } from '../../../__tests__/support/factors.js';
import { claim } from '../kind.js';

/** Probabilities are softmaxes in float32, whose sums of up to four numbers are off by some 2⁻²⁴ each. */
const SUM = 1e-5;

const areFinite = (rows: Iterable<number>): boolean => Array.from(rows).every(Number.isFinite);

/** Checks every number of a prediction. */
export function checkPrediction(prediction: Prediction): void {
  const all = prediction._tag === 'several' ? prediction.outputs : { output: prediction };
  for (const [name, own] of Object.entries(all as Readonly<Record<string, OutputPrediction>>)) {
    for (const [field, value] of Object.entries(own)) {
      // Two draws do not tell a standard error: it is infinite then, by definition.
      if (typeof value !== 'object' || field === 'standardError') continue;
      const rows = (value instanceof Float32Array ? [value] : value) as ReadonlyArray<Float32Array>;
      claim(rows.every(areFinite), () => `${name}.${field} is not finite: ${rows.map((row) => row.join(', ')).join('; ')}`);
    }
    if (own._tag === 'classification') checkClasses(name, own);
    else checkNumbers(name, own);
  }
}

function checkClasses(name: string, own: Classification): void {
  const { probabilities, standardDeviations, entropy, expectedEntropy, mutualInformation } = own;
  const areProbabilities = (row: Float32Array): boolean => row.every((p) => p >= 0 && p <= 1 + SUM);
  claim(probabilities.every(areProbabilities), () => `${name}: a probability is outside [0, 1]: ${probabilities.join('; ')}`);
  claim(
    standardDeviations.every((row) => row.every((v) => v >= 0)),
    () => `${name}: a standard deviation is below 0`,
  );
  for (const [field, values] of Object.entries({ entropy, expectedEntropy, mutualInformation })) {
    claim(
      values.every((v) => v >= 0),
      () => `${name}.${field} is below 0: ${values.join(', ')}`,
    );
  }
}

/** Checks that the probabilities of each row add up to 1: those of classes, not of independent labels. */
export function checkSums(probabilities: Classification['probabilities']): void {
  for (const row of probabilities) {
    const sum = row.reduce((total, p) => total + p, 0);
    claim(Math.abs(sum - 1) <= SUM, () => `the probabilities ${row.join(', ')} add up to ${sum}`);
  }
}

function checkNumbers(name: string, { epistemicVariance, noiseVariance, totalVariance }: Regression): void {
  for (const [field, rows] of Object.entries({ epistemicVariance, noiseVariance, totalVariance })) {
    claim(
      rows.every((row) => row.every((v) => v >= 0)),
      () => `${name}.${field} is below 0: ${rows.map((row) => row.join(', ')).join('; ')}`,
    );
  }
}

/**
 * Checks covariances [B][C·C]: symmetric and positive semidefinite, up to rounding. An entry (i, j) is a float32 sum of products of at most
 * some 300 terms in these networks, so by Cauchy and Schwarz it is off by at most 300 · 2⁻²⁴ √(Σ_ii Σ_jj), and by products that are lost
 * because they are below 2⁻¹²⁶. An eigenvalue is off by at most C times the largest error of an entry.
 */
export function checkCovariances({ mean, covariance }: Outputs): void {
  covariance.forEach((flat, b) => {
    const C = mean[b]?.length as number;
    claim(areFinite(flat), () => `the covariance of example ${b} is not finite: ${flat.join(', ')}`);
    const at = (i: number, j: number): number => flat[i * C + j] as number;
    const largest = Math.max(...Array.from({ length: C }, (_, c) => at(c, c)));
    const error = 300 * (2 ** -24 * largest + 2 ** -126);
    const rows = Array.from({ length: C }, (_, i) => Array.from({ length: C }, (_, j) => at(i, j)));
    const apart = Math.max(...rows.flatMap((row, i) => row.map((v, j) => Math.abs(v - at(j, i)))));
    claim(apart <= error, () => `the covariance of example ${b} is not symmetric, by ${apart}: ${flat.join(', ')}`);
    const symmetric = rows.map((row, i) => row.map((v, j) => (v + at(j, i)) / 2));
    const values = new EigenvalueDecomposition(new MlMatrix(symmetric), { assumeSymmetric: true }).realEigenvalues;
    const least = Math.min(...values);
    claim(least >= -C * error, () => `the covariance of example ${b} has the eigenvalue ${least}: ${flat.join(', ')}`);
  });
}

/**
 * Checks that the sums of two shards are those of the whole. Both have the same rows, a row for each gradient and position, but add them up
 * in another order. Every matrix is a sum of Grams in float32. By Cauchy and Schwarz the terms of an entry add up to at most the largest entry
 * of the diagonal. So R rows leave at most R · 2⁻²⁴ of it on either side, and an image here has 9 positions. A product below 2⁻¹²⁶ may be lost
 * as a whole. A sketch is a Gram times normal vectors, whose entries are below 6.
 */
export function checkMerged(merged: Factors, whole: Factors): void {
  claim(Math.abs(merged.count - whole.count) <= 1e-5 * whole.count, () => `${merged.count} examples instead of ${whole.count}`);
  const rows = 2 * POSITIONS * Math.max(whole.rows, whole.count);
  whole.layers.forEach((layer, i) => {
    const [own, other] = [matricesOf(merged.layers[i]), matricesOf(layer)];
    for (const [part, { data }] of Object.entries(other)) {
      const largest = part === 'sketch' ? 6 * (data.length * largestOf(other.diagonal?.data ?? [])) : largestOf(data);
      const error = largestOf(data.map((v, k) => v - (own[part]?.data[k] as number)));
      claim(
        error <= rows * (2 ** -24 * largest + 2 ** -126),
        () => `merged ${part} of layer ${i} is off by ${error} of ${largest}`,
      );
    }
  });
}

/** The most positions that a layer has. */
const POSITIONS = 9;

/** The largest absolute value; NaN if there is one. */
export const largestOf = (values: Iterable<number>): number =>
  Array.from(values).reduce((max, v) => Math.max(max, Math.abs(v)), 0);
