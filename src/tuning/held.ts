/**
 * Held-out examples as `tune` sees them: the mean of every output, its labels, and under each candidate its covariance. Everything is on the
 * host. Whatever does not depend on the scale is computed once.
 */
import type { Head } from '../network/network.js';
import { linkRule } from '../predictive/links/index.js';
import { type LinkOptions, reportLinearised, rowsOf } from '../predictive/report/linearisedReport.js';
import { type CriterionName, lossesNamed, type Truth } from './losses.js';

/** The held-out examples of one output. */
export interface HeldOut {
  readonly head: Head;
  /** f* [rows, outputs of a row], before the scale. */
  readonly mean: Float32Array;
  readonly truth: Truth;
}

/** The predictions of one candidate as a function of the scale. */
export interface Scaled {
  /** The losses of all outputs added up, [N]. */
  readonly losses: (scale: number) => Float64Array;
  /** The mean of the highest probability over rows of classes and independent labels; undefined if no output has them. */
  readonly confidence: ((scale: number) => number) | undefined;
}

/** How the link makes probabilities. */
export type Link = Omit<LinkOptions, 'scale'>;

/**
 * A candidate on N held-out examples.
 *
 * @param covariances of each output, as its report takes them
 */
export function scaled(
  outputs: ReadonlyArray<HeldOut>,
  covariances: ReadonlyArray<Float32Array>,
  criterion: CriterionName,
  link: Link,
  N: number,
): Scaled {
  const parts = outputs.map((own, i) => partOf(own, covariances[i] as Float32Array, criterion, link, N));
  const classified = parts.filter(({ confidence }) => confidence !== undefined);
  return {
    losses: (scale) => {
      const total = new Float64Array(N);
      for (const { addTo } of parts) addTo(total, scale);
      return total;
    },
    confidence:
      classified.length === 0
        ? undefined
        : (scale) => {
            const found = classified.map(({ confidence }) => (confidence as NonNullable<Part['confidence']>)(scale));
            return found.reduce((sum, one) => sum + one.sum, 0) / found.reduce((sum, one) => sum + one.count, 0);
          },
  };
}

/** One output of a candidate. */
interface Part {
  readonly addTo: (losses: Float64Array, scale: number) => void;
  /** The sum of the highest probabilities, and how many there are. */
  readonly confidence?: (scale: number) => { readonly sum: number; readonly count: number };
}

function partOf(own: HeldOut, covariance: Float32Array, criterion: CriterionName, link: Link, N: number): Part {
  const { truth } = own;
  const { predicts, labels, counts } = truth;
  const loss = lossesNamed(criterion);
  const each = labels.length / N;
  const addRows =
    (ofRow: (i: number, y: ArrayLike<number>, scale: number) => number): Part['addTo'] =>
    (losses, scale) => {
      labels.forEach((y, i) => {
        const example = Math.floor(i / each);
        if (counts[i]) losses[example] = (losses[example] as number) + ofRow(i, y, scale);
      });
    };
  if (predicts !== 'classes' && predicts !== 'labels') {
    const moments = momentsOf(own, covariance, link);
    return { addTo: addRows((i, y) => sumOver(y, (v, j) => loss.number(...(moments(i, j) as [number, number]), v))) };
  }
  const probabilities = probabilitiesOf(own, covariance, link);
  const ofRow =
    predicts === 'classes'
      ? (p: Float64Array, y: ArrayLike<number>): number => loss.classes(p, y)
      : (p: Float64Array, y: ArrayLike<number>): number => sumOver(y, (v, j) => loss.label(p[j] as number, v));
  return {
    addTo: addRows((i, y, scale) => ofRow(probabilities(i, scale), y)),
    confidence: (scale) => {
      let [sum, count] = [0, 0];
      for (let i = 0; i < labels.length; i++) {
        const p = probabilities(i, scale);
        sum += predicts === 'classes' ? p.reduce((a, b) => Math.max(a, b), 0) : p.reduce((a, b) => a + Math.max(b, 1 - b), 0);
        count += predicts === 'classes' ? 1 : p.length;
      }
      return { sum, count };
    },
  };
}

function sumOver(row: ArrayLike<number>, f: (y: number, j: number) => number): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += f(row[j] as number, j);
  return sum;
}

/** The mean and total variance of label j of row i. */
function momentsOf(
  { head, mean }: HeldOut,
  covariance: Float32Array,
  link: Link,
): (i: number, j: number) => readonly [number, number] {
  const report = reportLinearised(head, mean, covariance, { ...link, scale: 1 });
  if (report?._tag !== 'regression') throw new Error('tune refuses likelihoods without closed moments before it reads data');
  return (i, j) => [report.mean[i]?.[j] as number, report.totalVariance[i]?.[j] as number];
}

/** E[p] of row i at a scale. The next call may overwrite the result. */
function probabilitiesOf(
  { head, mean, truth }: HeldOut,
  covariance: Float32Array,
  link: Link,
): (i: number, scale: number) => Float64Array {
  const rule = linkRule(link.link);
  const rows = rowsOf(mean, covariance, head.row.outputs);
  const isClasses = truth.predicts === 'classes';
  if (rule.logits !== undefined) {
    const logits = rows.map(([f, { variance }]) => rule.logits?.(f, variance) as Float64Array);
    const p = new Float64Array(head.row.outputs);
    return (i, scale) => (isClasses ? softmaxInto : sigmoidInto)(p, logits[i] as Float64Array, scale);
  }
  return (i, scale) => {
    const [f, own] = rows[i] as (typeof rows)[number];
    const scaledMean = f.map((v) => scale * v);
    const { probabilities } = isClasses ? rule.classes(scaledMean, own, link) : rule.labels(scaledMean, own.variance, link);
    return probabilities;
  };
}

/** softmax(s z), written into p. */
function softmaxInto(p: Float64Array, z: Float64Array, scale: number): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < z.length; c++) most = Math.max(most, z[c] as number);
  let total = 0;
  for (let c = 0; c < z.length; c++) {
    const weight = Math.exp(scale * ((z[c] as number) - most));
    p[c] = weight;
    total += weight;
  }
  for (let c = 0; c < z.length; c++) p[c] = (p[c] as number) / total;
  return p;
}

function sigmoidInto(p: Float64Array, z: Float64Array, scale: number): Float64Array {
  for (let c = 0; c < z.length; c++) p[c] = 1 / (1 + Math.exp(-scale * (z[c] as number)));
  return p;
}
