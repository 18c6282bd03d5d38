/** Candidates for outputs of classes and independent labels: their mean probabilities. */

import { confidences } from '../metrics/ece.js';
import { type NumberRows, predictedClasses } from '../metrics/rows.js';
import { type Criterion, calibrationGaps, type HeldOutPredictions, ownLosses } from './criterion.js';
import type { Free } from './free.js';
import type { HeldOut, Part, Reading, Uncertainty } from './held.js';
import { isRowCriterion, rowLosses } from './losses.js';
import { probabilities, type Source } from './probabilities.js';

/** The candidate of one such output. */
export function classified(own: HeldOut, uncertainty: Uncertainty, reading: Reading): (criterion: Criterion) => Part {
  const source = probabilities(own, uncertainty, reading);
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
