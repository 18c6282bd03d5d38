/** Candidates for outputs of classes and independent labels: the mean probabilities of a link. */
import { linkRule } from '../predictive/links/index.js';
import type { OutputCovariance } from '../predictive/links/outputCovariance.js';
import { rowsOf } from '../predictive/report/linearisedReport.js';
import { type Criterion, calibrationGaps, type HeldOutPredictions, ownLosses } from './criterion.js';
import { type Free, spreadOf } from './free.js';
import type { HeldOut, Part, Reading } from './held.js';
import { isRowCriterion, rowLosses } from './losses.js';

/** The probabilities of each row. */
interface Probabilities {
  /** E[p] of row i. The next call may overwrite it. */
  readonly of: (i: number, free: Free) => Float64Array;
  /**
   * Adds to the slopes, from those in the logits a of row i. Absent if the link has no logits. To be called right after `of`.
   */
  readonly slopes?: (i: number, free: Free, inLogits: Float64Array) => readonly [scale: number, spread: number];
}

/** The candidate of one such output. */
export function classified(own: HeldOut, covariance: Float32Array, criterion: Criterion, reading: Reading): Part {
  const { labels, predicts } = own.truth;
  const isClasses = predicts === 'classes';
  const probabilities = probabilitiesOf(own, covariance, reading);
  const confidence: Part['confidence'] = (free) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      const p = probabilities.of(i, free);
      sum += isClasses ? highest(p) : p.reduce((a, b) => a + Math.max(b, 1 - b), 0);
      count += isClasses ? 1 : p.length;
    }
    return { sum, count };
  };
  if (!isRowCriterion(criterion)) {
    const losses = (free: Free): ArrayLike<number> => {
      const rows = labels.map((_, i) => Float64Array.from(probabilities.of(i, free)));
      if (criterion === 'ece') return isClasses ? classGaps(rows, labels) : labelGaps(rows, labels);
      return ownLosses(criterion, heldOf(own, rows), rows.length);
    };
    return { hasSlopes: false, isSmooth: false, confidence, addTo: (sums, _, free) => sums.set(losses(free)) };
  }
  const loss = rowLosses(criterion)[isClasses ? 'classes' : 'labels'];
  const inLogits = new Float64Array(own.head.row.outputs);
  return {
    hasSlopes: probabilities.slopes !== undefined,
    isSmooth: true,
    confidence,
    addTo: (losses, slopes, free) => {
      for (let i = 0; i < labels.length; i++) {
        losses[i] = loss(probabilities.of(i, free), labels[i] as ArrayLike<number>, inLogits);
        const [scale, spread] = probabilities.slopes?.(i, free, inLogits) ?? [0, 0];
        slopes.scale += scale;
        slopes.spread += spread;
      }
    },
  };
}

function probabilitiesOf({ head, mean, truth }: HeldOut, covariance: Float32Array, reading: Reading): Probabilities {
  const rule = linkRule(reading.link);
  const rows = rowsOf(mean, covariance, head.row.outputs);
  const isClasses = truth.predicts === 'classes';
  if (rule.logits === undefined) {
    const of = (i: number, free: Free): Float64Array => {
      const [f, own] = rows[i] as (typeof rows)[number];
      const [scaled, spread] = [f.map((v) => free.scale * v), under(own, spreadOf(free, reading.power))];
      const { probabilities } = isClasses ? rule.classes(scaled, spread, reading) : rule.labels(scaled, spread.variance, reading);
      return probabilities;
    };
    return { of };
  }
  const { logits } = rule;
  const atSpread = (spread: number) => ({
    spread,
    rows: rows.map(([f, { variance }]) =>
      logits(
        f,
        variance.map((v) => spread * v),
      ),
    ),
  });
  let known = atSpread(1);
  const p = new Float64Array(head.row.outputs);
  const activate = isClasses ? softmaxInto : sigmoidInto;
  return {
    of: (i, free) => {
      if (known.spread !== spreadOf(free, reading.power)) known = atSpread(spreadOf(free, reading.power));
      return activate(p, (known.rows[i] as (typeof known.rows)[number]).mean, free.scale);
    },
    slopes: (i, { scale }, inLogits) => {
      const { mean: z, slope } = known.rows[i] as (typeof known.rows)[number];
      let [own, spread] = [0, 0];
      for (let c = 0; c < p.length; c++) {
        const along = scale * (inLogits[c] as number);
        own += along * (z[c] as number);
        spread += along * (slope[c] as number);
      }
      return [own, spread];
    },
  };
}

const under = ({ variance, full }: OutputCovariance, spread: number): OutputCovariance => ({
  variance: variance.map((v) => spread * v),
  ...(full && { full: full.map((v) => spread * v) }),
});

/** What one's own criterion sees. */
function heldOf({ head, truth }: HeldOut, probabilities: ReadonlyArray<Float64Array>): HeldOutPredictions {
  const predictions = { _tag: 'classification', probabilities } as const;
  const labels = truth.predicts === 'classes' ? truth.labels.map(indexOfHighest) : truth.labels;
  return { output: head.name, predictions, labels };
}

const classGaps = (rows: ReadonlyArray<Float64Array>, labels: ReadonlyArray<ArrayLike<number>>): Float64Array =>
  calibrationGaps(
    Float64Array.from(rows, highest),
    Float64Array.from(rows, (p, i) => (indexOfHighest(p) === indexOfHighest(labels[i] as ArrayLike<number>) ? 1 : 0)),
  );

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

const highest = (p: ArrayLike<number>): number => p[indexOfHighest(p)] as number;

function indexOfHighest(row: ArrayLike<number>): number {
  let most = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] as number) > (row[most] as number)) most = c;
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
