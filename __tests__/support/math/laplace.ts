/** The library's own way from a model to factors, a posterior and predictions, for tests that look at one step of it. */
import * as tf from '@tensorflow/tfjs';
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
import { normalSource, take, uniformSource } from './monteCarlo.js';
import { chain, inputsFor } from './networks.js';

/** Inputs of a model, and targets as tensors and as rows. */
export interface Data {
  readonly x: tf.Tensor[];
  readonly y: tf.Tensor;
  readonly targets: number[][];
}

/** N random examples for a model: one-hot rows, bits, counts, or normal numbers. */
export function dataFor(model: tf.LayersModel, likelihood: Likelihood, N: number, seed = 5): Data {
  const C = model.outputs[0]?.shape[1] as number;
  const [uniform, normal] = [uniformSource(seed), normalSource(seed)];
  const row = (): number[] => {
    if (likelihood._tag === 'gaussian') return take(C, normal);
    if (likelihood._tag === 'heteroscedastic') return take(C / 2, normal);
    if (likelihood._tag === 'poisson') return take(C, () => Math.floor(4 * uniform() ** 2));
    if (likelihood._tag === 'bernoulli') return take(C, () => (uniform() < 0.5 ? 0 : 1));
    const own = Math.floor(C * uniform());
    return Array.from({ length: C }, (_, c) => (c === own ? 1 : 0));
  };
  const targets = Array.from({ length: N }, row);
  return { x: inputsFor(model, N, seed + 1), y: tf.tensor2d(targets), targets };
}

/** Factors of a data set in batches. */
export const factorsOf = (
  model: tf.LayersModel,
  likelihood: Likelihood,
  { x, y }: Pick<Data, 'x' | 'y'>,
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

/** A model with a posterior, and inputs that the posterior was not made from. */
export interface Fitted {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  readonly x: tf.Tensor;
}

/** A chain with C outputs under a likelihood, and five inputs for it. */
export async function fittedChain(likelihood: Likelihood, C = 3): Promise<Fitted> {
  const model = chain([4, C]);
  const factors = await factorsOf(model, likelihood, dataFor(model, likelihood, 8));
  return { model, posterior: await posteriorFrom(factors, { priorPrecision: 0.3 }), x: inputsFor(model, 5, 21)[0] as tf.Tensor };
}

/** The value of a Right; the error of a Left is thrown. */
export const right = <A>(value: E.Either<unknown, A>): A => {
  if (E.isLeft(value)) throw value.left;
  return value.right;
};

/** The kind of a Left's error; `undefined` for a Right or an error of no kind. */
export const kindOf = (value: E.Either<unknown, unknown>): LaplaceErrorKind | undefined =>
  E.isLeft(value) && isLaplaceError(value.left) ? value.left.kind : undefined;
