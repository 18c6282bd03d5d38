/** The library's own way from a model to factors, a posterior and predictions, for tests that look at one step of it. */
import type * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  type Factors,
  type Inputs,
  isLaplaceError,
  kfac,
  type LaplaceErrorKind,
  type Likelihood,
  observe,
  type Posterior,
  type Prediction,
  type Predictive,
  predict,
  type ToPosteriorOptions,
  toPosterior,
} from 'tfjs-laplace';

/** Factors of a data set in batches. */
export const factorsOf = (
  model: tf.LayersModel,
  likelihood: Likelihood,
  { x, y }: { readonly x: ReadonlyArray<tf.Tensor>; readonly y: tf.Tensor },
  curvature: Curvature = kfac(),
  batchSize = 4,
): Promise<Factors> =>
  lastValueFrom(
    from(batches({ x: x.length === 1 ? (x[0] as tf.Tensor) : [...x], y }, batchSize)).pipe(
      observe(model, likelihood),
      accumulateFactors(curvature),
    ),
  );

export const posteriorFrom = (factors: Factors, options: ToPosteriorOptions): Promise<Posterior> =>
  lastValueFrom(of(factors).pipe(toPosterior(options)));

export const predictOne = (model: tf.LayersModel, posterior: Posterior, predictive: Predictive, x: Inputs): Promise<Prediction> =>
  lastValueFrom(from([x]).pipe(predict(model, posterior, predictive)));

/** The value of a Right; the error of a Left is thrown. */
export const right = <A>(value: E.Either<unknown, A>): A => {
  if (E.isLeft(value)) throw value.left;
  return value.right;
};

/** The kind of a Left's error; `undefined` for a Right or an error of no kind. */
export const kindOf = (value: E.Either<unknown, unknown>): LaplaceErrorKind | undefined =>
  E.isLeft(value) && isLaplaceError(value.left) ? value.left.kind : undefined;
