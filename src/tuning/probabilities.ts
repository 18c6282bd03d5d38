/** The mean probabilities of classes and independent labels as functions of the free numbers. What these do not change is computed once. */

import { linkRule } from '../predictive/links/index.js';
import type { Logits } from '../predictive/links/link.js';
import type { OutputCovariance } from '../predictive/links/outputCovariance.js';
import { rowsOf } from '../predictive/report/linearisedReport.js';
import { type Free, type Slopes, spreadOf } from './free.js';
import type { DrawnOutput, HeldOut, Reading, Uncertainty } from './held.js';

/** The probabilities of each row for some free numbers. */
export interface Probabilities {
  /** E[p] of row i. The next call may overwrite it. */
  readonly of: (i: number) => Float64Array;
  /** Adds the slopes of row i to the sums, from the slopes in its logits. To be called right after `of`. Absent without logits. */
  readonly addSlopes?: (i: number, inLogits: Float64Array, sums: Slopes) => void;
}

/** The probabilities of one candidate. */
export interface Source {
  readonly at: (free: Free) => Probabilities;
  readonly hasSlopes: boolean;
}

/** The probabilities of an output under what is uncertain about it. */
export function probabilities(own: HeldOut, uncertainty: Uncertainty, reading: Reading): Source {
  if (uncertainty._tag === 'draws') return ofDraws(own, uncertainty, reading);
  return linkRule(reading.link).logits === undefined
    ? ofLink(own, uncertainty.values, reading)
    : ofLogits(own, uncertainty.values, reading);
}

/** A link that is one function of the mean and covariance of a row. */
function ofLink({ head, mean, truth }: HeldOut, covariance: Float32Array, reading: Reading): Source {
  const rule = linkRule(reading.link);
  const rows = rowsOf(mean, covariance, head.row.outputs);
  const at = (free: Free): Probabilities => {
    const spread = spreadOf(free, reading.power);
    return {
      of: (i) => {
        const [f, own] = rows[i] as (typeof rows)[number];
        const scaled = f.map((v) => free.scale * v);
        const wide = widened(own, spread);
        const found =
          truth.predicts === 'classes' ? rule.classes(scaled, wide, reading) : rule.labels(scaled, wide.variance, reading);
        return found.probabilities;
      },
    };
  };
  return { at, hasSlopes: false };
}

const widened = ({ variance, full }: OutputCovariance, spread: number): OutputCovariance => ({
  variance: variance.map((v) => spread * v),
  ...(full && { full: full.map((v) => spread * v) }),
});

/** A link whose mean probabilities are a softmax or sigmoid of s times logits, which the scale does not change. */
function ofLogits({ head, mean, truth }: HeldOut, covariance: Float32Array, reading: Reading): Source {
  const logits = linkRule(reading.link).logits as NonNullable<ReturnType<typeof linkRule>['logits']>;
  const rows = rowsOf(mean, covariance, head.row.outputs);
  const atSpread = (spread: number) => ({
    spread,
    rows: rows.map(([f, { variance }]) => logits(f, spread === 1 ? variance : variance.map((v) => spread * v))),
  });
  let known = atSpread(1);
  const p = new Float64Array(head.row.outputs);
  const activate = activationOf(truth.predicts === 'classes');
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

/** The average over draws f_k of what a softmax or sigmoid makes of s f* + √(spread) (f_k − f*). */
function ofDraws({ head, mean, truth }: HeldOut, { draws, spread }: DrawnOutput, reading: Reading): Source {
  const C = head.row.outputs;
  const [z, p, sum] = [new Float64Array(C), new Float64Array(C), new Float64Array(C)];
  const activate = activationOf(truth.predicts === 'classes');
  const at = (free: Free): Probabilities => {
    const wide = Math.sqrt(spreadOf(free, reading.power) / spread);
    const shift = free.scale - wide;
    return {
      of: (i) => {
        sum.fill(0);
        for (const f of draws) {
          for (let c = 0; c < C; c++) z[c] = wide * (f[i * C + c] as number) + shift * (mean[i * C + c] as number);
          activate(p, z, 1);
          for (let c = 0; c < C; c++) sum[c] = (sum[c] as number) + (p[c] as number);
        }
        for (let c = 0; c < C; c++) sum[c] = (sum[c] as number) / draws.length;
        return sum;
      },
    };
  };
  return { at, hasSlopes: false };
}

type Activation = (p: Float64Array, z: Float64Array, scale: number) => Float64Array;

const activationOf = (isClasses: boolean): Activation => (isClasses ? softmaxInto : sigmoidInto);

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
