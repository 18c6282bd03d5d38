/** Candidates for outputs of classes and independent labels: the mean probabilities of a link. */

import { confidences } from '../metrics/ece.js';
import { type NumberRows, predictedClasses } from '../metrics/rows.js';
import { linkRule } from '../predictive/links/index.js';
import type { Logits } from '../predictive/links/link.js';
import type { OutputCovariance } from '../predictive/links/outputCovariance.js';
import { rowsOf } from '../predictive/report/linearisedReport.js';
import { type Criterion, calibrationGaps, type HeldOutPredictions, ownLosses } from './criterion.js';
import { type Free, type Slopes, spreadOf } from './free.js';
import type { HeldOut, Part, Reading } from './held.js';
import { isRowCriterion, rowLosses } from './losses.js';

/** The probabilities of each row for some free numbers. */
interface Probabilities {
  /** E[p] of row i. The next call may overwrite it. */
  readonly of: (i: number) => Float64Array;
  /** Adds the slopes of row i to the sums, from the slopes in its logits. To be called right after `of`. Absent without logits. */
  readonly addSlopes?: (i: number, inLogits: Float64Array, sums: Slopes) => void;
}

/** The probabilities of a candidate. What the scale does not change is computed once. */
interface Source {
  readonly at: (free: Free) => Probabilities;
  readonly hasSlopes: boolean;
}

/** The candidate of one such output. */
export function classified(own: HeldOut, covariance: Float32Array, reading: Reading): (criterion: Criterion) => Part {
  const source = sourceOf(own, covariance, reading);
  return (criterion) => partOf(own, source, criterion);
}

function partOf(own: HeldOut, { at, hasSlopes }: Source, criterion: Criterion): Part {
  const { labels, counts, predicts } = own.truth;
  const isClasses = predicts === 'classes';
  const confidence: Part['confidence'] = (free) => {
    const { of } = at(free);
    let sum = 0;
    let count = 0;
    for (let i = 0; i < labels.length; i++) {
      if (!counts[i]) continue;
      const p = of(i);
      sum += isClasses ? highest(p) : p.reduce((a, b) => a + Math.max(b, 1 - b), 0);
      count += isClasses ? 1 : p.length;
    }
    return { sum, count };
  };
  if (!isRowCriterion(criterion)) {
    const losses = (free: Free): ArrayLike<number> => {
      const { of } = at(free);
      const rows = labels.map((_, i) => new Float64Array(of(i)));
      if (criterion === 'ece') return isClasses ? classGaps(rows, labels) : labelGaps(rows, labels);
      return ownLosses(criterion, heldOf(own, rows), rows.length);
    };
    return { hasSlopes: false, isSmooth: false, confidence, addTo: (sums, _, free) => sums.set(losses(free)) };
  }
  const loss = rowLosses(criterion)[isClasses ? 'classes' : 'labels'];
  const inLogits = new Float64Array(own.head.row.outputs);
  return {
    hasSlopes,
    isSmooth: true,
    confidence,
    addTo: (losses, slopes, free) => {
      const { of, addSlopes } = at(free);
      for (let i = 0; i < labels.length; i++) {
        if (!counts[i]) continue;
        losses[i] = loss(of(i), labels[i] as ArrayLike<number>, inLogits);
        addSlopes?.(i, inLogits, slopes);
      }
    },
  };
}

function sourceOf({ head, mean, truth }: HeldOut, covariance: Float32Array, reading: Reading): Source {
  const rule = linkRule(reading.link);
  const rows = rowsOf(mean, covariance, head.row.outputs);
  const isClasses = truth.predicts === 'classes';
  const { logits } = rule;
  if (logits === undefined) {
    const at = (free: Free): Probabilities => {
      const spread = spreadOf(free, reading.power);
      return {
        of: (i) => {
          const [f, own] = rows[i] as (typeof rows)[number];
          const scaled = f.map((v) => free.scale * v);
          const wide = under(own, spread);
          return (isClasses ? rule.classes(scaled, wide, reading) : rule.labels(scaled, wide.variance, reading)).probabilities;
        },
      };
    };
    return { at, hasSlopes: false };
  }
  /** The logits of all rows, which the scale does not change. */
  const atSpread = (spread: number) => ({
    spread,
    rows: rows.map(([f, { variance }]) => logits(f, spread === 1 ? variance : variance.map((v) => spread * v))),
  });
  let known = atSpread(1);
  const p = new Float64Array(head.row.outputs);
  const activate = isClasses ? softmaxInto : sigmoidInto;
  const at = (free: Free): Probabilities => {
    const spread = spreadOf(free, reading.power);
    if (known.spread !== spread) known = atSpread(spread);
    const { scale } = free;
    const all = known.rows;
    return {
      of: (i) => activate(p, (all[i] as Logits).mean, scale),
      addSlopes: (i, inLogits, sums) => {
        const z = all[i] as Logits;
        for (let c = 0; c < p.length; c++) {
          const along = scale * (inLogits[c] as number);
          sums.scale += along * (z.mean[c] as number);
          sums.spread += along * (z.slope[c] as number);
        }
      },
    };
  };
  return { at, hasSlopes: true };
}

const under = ({ variance, full }: OutputCovariance, spread: number): OutputCovariance => ({
  variance: variance.map((v) => spread * v),
  ...(full && { full: full.map((v) => spread * v) }),
});

/** What one's own criterion sees. */
function heldOf({ head, truth }: HeldOut, probabilities: ReadonlyArray<Float64Array>): HeldOutPredictions {
  const predictions = { _tag: 'classification', probabilities } as const;
  const labels = truth.predicts === 'classes' ? Array.from(predictedClasses(truth.labels)) : truth.labels;
  return { output: head.name, predictions, labels };
}

function classGaps(rows: NumberRows, labels: NumberRows): Float64Array {
  const truth = predictedClasses(labels);
  return calibrationGaps(
    confidences(rows),
    Float64Array.from(predictedClasses(rows), (predicted, i) => (predicted === truth[i] ? 1 : 0)),
  );
}

/** Each label is a prediction of its own. A row has the mean over its labels. */
function labelGaps(rows: ReadonlyArray<Float64Array>, labels: ReadonlyArray<ArrayLike<number>>): Float64Array {
  const L = rows[0]?.length as number;
  const all = rows.flatMap((p, i) => Array.from(p, (v, j) => [v, labels[i]?.[j] as number] as const));
  const gaps = calibrationGaps(
    Float64Array.from(all, ([p]) => Math.max(p, 1 - p)),
    Float64Array.from(all, ([p, y]) => (p >= 0.5 === y >= 0.5 ? 1 : 0)),
  );
  return Float64Array.from(rows, (_, i) => gaps.subarray(i * L, (i + 1) * L).reduce((a, b) => a + b, 0) / L);
}

function highest(p: Float64Array): number {
  let most = 0;
  for (let c = 0; c < p.length; c++) most = Math.max(most, p[c] as number);
  return most;
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
