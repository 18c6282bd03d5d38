/** Factors as bytes. */
import type { either as E } from 'fp-ts';
import { ofKind, optionsOf } from '../codec/index.js';
import { FACTORS, type Factors, type LayerSums } from '../curvature/factors.js';
import type { Rotation } from '../curvature/layout.js';
import { partsOf } from '../curvature/structure/index.js';
import type { LaplaceError } from '../errors.js';
import { attempted, orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { arraysIn, type Matrices, shareName } from './arrays.js';
import { type Seal, sealed, sealedPieces } from './container.js';
import { type EncodeFactorsOptions, EncodeFactorsOptionsCodec } from './options.js';
import type { Pieces } from './pieces.js';

/** All that factors hold of one layer. */
export type FactorsLayer = LayerSums & {
  /** W [P·n, m], the weights at which the sums were taken. */
  readonly weights: Matrix;
  /** What each output adds to the gradient side; absent unless the estimator has `noise: 'perOutput'`. */
  readonly shares?: ReadonlyArray<Matrix>;
  /** The directions along which `ekfac` summed; absent for other estimators. */
  readonly rotation?: Rotation;
};

/** Everything in factors that is no array. */
export type FactorsFacts = Omit<Factors, '_tag' | 'weights' | 'layers' | 'shares' | 'rotations'> & {
  /** Σ (f − y)² / σ² of each output; absent unless the estimator has `noise: 'perOutput'`. */
  readonly squares?: ReadonlyArray<number>;
};

/**
 * Factors as the bytes of a file, as `encodePosterior` writes them: to add them up elsewhere, or with those of another day. Merge factors
 * that were written as F64, which keeps every bit.
 *
 * @returns the bytes, or `NotFinite` if a number is not finite in the format; `InvalidInput` for a value that is no factors.
 * @throws LaplaceError `InvalidOption` for an unknown option or format
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, decodeFactors, encodeFactors, merge, observe, orThrow } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const factorsOf = (x: number[][], y: number[][]) =>
 *   lastValueFrom(from(batches({ x: tf.tensor2d(x), y: tf.tensor2d(y) }, 2)).pipe(observe(model, 'gaussian'), accumulateFactors()));
 * const yesterday = orThrow(encodeFactors(await factorsOf([[1, 2], [3, 4]], [[1], [2]])));
 * const today = await factorsOf([[5, 6]], [[3]]);
 * orThrow(merge(orThrow(decodeFactors(yesterday)), today)).count; // => 3
 * ```
 */
export const encodeFactors = (factors: Factors, options: EncodeFactorsOptions = {}): E.Either<LaplaceError, Uint8Array> =>
  written('encodeFactors', factors, options, sealed);

/**
 * The bytes of `encodeFactors`, piece by piece, as `piecesOfPosterior` gives those of a posterior.
 *
 * @returns the pieces, or an error as of `encodeFactors`. Gone through, they cannot fail.
 * @throws LaplaceError `InvalidOption` for an unknown option or format
 */
export const piecesOfFactors = (factors: Factors, options: EncodeFactorsOptions = {}): E.Either<LaplaceError, Pieces> =>
  written('piecesOfFactors', factors, options, sealedPieces);

function written<A>(what: string, factors: Factors, options: EncodeFactorsOptions, seal: Seal<A>): E.Either<LaplaceError, A> {
  const { dtype, common } = optionsOf(what, EncodeFactorsOptionsCodec, options);
  return attempted(() => {
    const own = orThrow(ofKind(what, FACTORS, factors));
    const arrays = own.layers.flatMap((_, l) => arraysIn(l, matricesOf(layerOf(own, l), common), dtype));
    return seal('factors', manifestFrom(factsOf(own), common, own.rotations !== undefined), arrays, dtype);
  });
}

export const factsOf = ({ _tag, weights, layers, shares, rotations, ...rest }: Factors): FactorsFacts => ({
  ...rest,
  ...(shares && { squares: shares.map(({ squares }) => squares) }),
});

const layerOf = ({ layers, weights, shares, rotations }: Factors, l: number): FactorsLayer => ({
  ...(layers[l] as LayerSums),
  weights: weights[l] as Matrix,
  ...(shares && { shares: shares.map((own) => own.layers[l] as Matrix) }),
  ...(rotations && { rotation: rotations[l] as Rotation }),
});

type Common = 'inside' | 'apart';

/** What factors have beside arrays, in this order, so that equal factors have equal bytes. */
export const manifestFrom = (
  { layout, fingerprint, count, datasetSize, logLikelihood, rows, batches, parts, squares }: FactorsFacts,
  common: Common,
  isRotated: boolean,
): object => ({
  layout,
  fingerprint,
  count,
  datasetSize,
  logLikelihood,
  rows,
  batches,
  parts,
  ...(squares && { squares }),
  isRotated,
  ...(common === 'apart' && { isApart: true }),
});

export const matricesOf = (layer: FactorsLayer, common: Common): Matrices => [
  ...(common === 'apart' ? [] : [['weights', layer.weights] as const]),
  ...Object.entries(partsOf(layer)),
  ...(layer.shares ?? []).map((own, c) => [shareName(c), own] as const),
  ...Object.entries(common === 'apart' ? {} : (layer.rotation ?? {})).map(
    ([side, own]) => [rotationName(side), own as Matrix] as const,
  ),
];

export const rotationName = (side: string): string => `rotation.${side}`;
