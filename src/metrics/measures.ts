/**
 * The metrics of a prediction, each in a form from which its standard error follows:
 *
 *   influence   values [N] of the examples whose mean varies as the metric does: the losses themselves for a mean, and the squared errors
 *               over 2 RMSE for the root of their mean, and what `smoothing.ts` says for the smooth ECE (delta method)
 *   resampled   the metric of the examples with given indices, for the bootstrap; undefined where these examples have none
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import { centralProbability } from '../random/normal.js';
import { auroc } from './auroc.js';
import { binned } from './bins.js';
import { classwiseOf, eachClass } from './classwise.js';
import { confidences } from './ece.js';
import { entropy } from './entropy.js';
import { momentsOf } from './estimate.js';
import { checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { centralLevels, curveOf, levelCounts } from './intervals.js';
import { classLosses, lossesOf } from './losses.js';
import { calibrationOf } from './reliability.js';
import { labelled, type NumberRows, sound } from './rows.js';
import { riskCoverage } from './selective.js';
import { bandwidthOf, smoothErrorAt, smoothInfluence, smoothSums } from './smoothing.js';

/** Which values of a metric are better. No value of `neither` is better by itself. */
export type Better = 'higher' | 'lower' | 'neither';

export interface Measure {
  readonly name: string;
  readonly better: Better;
  readonly value: number;
  readonly influence?: Float64Array;
  readonly resampled?: (indices: Uint32Array) => number | undefined;
}

const mean = (name: string, influence: Float64Array, better: Better = 'lower'): Measure => ({
  name,
  better,
  value: momentsOf(influence).mean,
  influence,
});

/** A metric without an influence. It is left out where even all examples have none. */
function resampled(name: string, N: number, of: (indices: Uint32Array) => number | undefined, better: Better = 'lower') {
  const value = of(Uint32Array.from({ length: N }, (_, i) => i));
  return value === undefined ? [] : [{ name, better, value, resampled: of }];
}

/** A function of indices that computes each result once. Three areas come from one curve of a resample. */
function remembered<A extends object>(of: (indices: Uint32Array) => A): (indices: Uint32Array) => A {
  const known = new WeakMap<Uint32Array, A>();
  return (indices) => {
    const found = known.get(indices) ?? of(indices);
    known.set(indices, found);
    return found;
  };
}

const take = (values: ArrayLike<number>, indices: Uint32Array): Float64Array =>
  Float64Array.from(indices, (i) => values[i] as number);

export const classMeasures = (
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  bins: number,
): E.Either<LaplaceError, ReadonlyArray<Measure>> =>
  F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => {
      const N = rows.length;
      const { zeroOne, nll, brierScore } = orThrow(classLosses(rows, labels));
      const entropies = orThrow(entropy(rows));
      const right = zeroOne.map((wrong) => 1 - wrong);
      const eceOf = (scores: ArrayLike<number>, outcomes: ArrayLike<number>) => (indices: Uint32Array) =>
        calibrationOf(binned(take(scores, indices), take(outcomes, indices), bins, 'width'));
      const top = eceOf(confidences(rows), right);
      const classes = eachClass(rows, labels, eceOf);
      const areas = remembered((indices) => {
        const { area, excessArea, generalisedArea } = orThrow(riskCoverage(take(entropies, indices), take(zeroOne, indices)));
        return { area, excessArea, generalisedArea };
      });
      const errorAuroc = (indices: Uint32Array) => {
        const group = (wrong: number) =>
          take(
            entropies,
            indices.filter((i) => zeroOne[i] === wrong),
          );
        return E.getOrElse<LaplaceError, number | undefined>(() => undefined)(
          auroc({ positives: group(1), negatives: group(0) }),
        );
      };
      return [
        mean('accuracy', right, 'higher'),
        mean('nll', nll),
        mean('brierScore', brierScore),
        ...resampled('ece', N, (indices) => top(indices).ece),
        smoothEce(confidences(rows), right),
        ...resampled('classwiseEce', N, (indices) => classwiseOf(classes.map((of) => of(indices))).ece),
        ...resampled('riskCoverageArea', N, (indices) => areas(indices).area),
        ...resampled('excessArea', N, (indices) => areas(indices).excessArea),
        ...resampled('generalisedArea', N, (indices) => areas(indices).generalisedArea),
        ...resampled('errorAuroc', N, errorAuroc, 'higher'),
      ];
    }),
  );

function smoothEce(scores: ArrayLike<number>, outcomes: ArrayLike<number>): Measure {
  const sums = smoothSums(scores, outcomes);
  const bandwidth = bandwidthOf(sums);
  const influence = smoothInfluence(sums, bandwidth, scores, outcomes);
  return { name: 'smoothEce', better: 'lower', value: smoothErrorAt(sums, bandwidth), influence };
}

export const gaussianMeasures = (predictions: GaussianPredictions): E.Either<LaplaceError, ReadonlyArray<Measure>> =>
  sound(checkPredictions(predictions), () => {
    const N = predictions.targets.length;
    const losses = lossesOf(predictions);
    const all = entries(predictions);
    const C = all.length / N;
    /** The mean over outputs of each example, [N]. */
    const perExample = (of: (entry: (typeof all)[number]) => number) => {
      const sums = new Float64Array(N);
      all.forEach((entry, k) => {
        const i = Math.floor(k / C);
        sums[i] = (sums[i] as number) + of(entry) / C;
      });
      return sums;
    };
    const within = ({ error, variance }: (typeof all)[number]) =>
      centralProbability(Math.abs(error) / Math.sqrt(variance)) <= 0.95 ? 1 : 0;
    const levels = centralLevels(all);
    const intervals = (indices: Uint32Array) =>
      curveOf(levelCounts(Array.from(indices, (i) => levels.slice(i * C, (i + 1) * C)).flat(), 100)).meanAbsolute;
    return [
      mean('gaussianNll', losses.nll),
      mean('gaussianCrps', losses.crps),
      root('rmse', losses.squaredError, 'lower'),
      mean('mae', losses.absoluteError),
      mean('coverage95', perExample(within), 'neither'),
      ...resampled('intervalError', N, intervals),
      root(
        'sharpness',
        perExample(({ variance }) => variance),
        'neither',
      ),
    ];
  });

function root(name: string, squares: Float64Array, better: Better): Measure {
  const value = Math.sqrt(momentsOf(squares).mean);
  return { name, better, value, influence: squares.map((square) => (value === 0 ? 0 : square / (2 * value))) };
}
