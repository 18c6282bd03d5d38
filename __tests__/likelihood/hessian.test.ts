/** Closed forms of Λ against its definition in float64, and for outputs of which the likelihood is nearly sure. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, heteroscedastic, type Matrix, type OutputLikelihood, poisson } from 'tfjs-laplace';
import type { HessianOps } from '../../src/likelihood/hessian.js';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { combination, product, type Rows, transposed } from '../support/math/dense64.js';
import { hessian as definition } from '../support/math/likelihoods64.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

const [B, C, K] = [5, 4, 3];
const LIKELIHOODS: ReadonlyArray<OutputLikelihood> = [
  categorical(),
  categorical({ labelSmoothing: 0.1 }),
  bernoulli(),
  gaussian({ noiseVariance: 0.3 }),
  gaussian({ noiseVariance: [0.3, 4, 1, 2] }),
  heteroscedastic(),
  poisson(),
];

const V = inRows(take(C * K, normalSource(8)), K);
const WEIGHTS = [2, 0, 0.5, 1, 3];

const opsOf = (likelihood: OutputLikelihood): HessianOps => likelihoodOps(likelihood, C).hessian as HessianOps;
const host = (t: tf.Tensor2D): Matrix => ({ rows: t.shape[0], cols: t.shape[1], data: Float64Array.from(t.dataSync()) });
const diagonalOf = (a: Rows): number[] => a.map((row, i) => row[i] as number);

describe.each(LIKELIHOODS)('$_tag', (likelihood) => {
  // A class is sure with p = 1 − e^-scale or so: its Λ is as small as that.
  describe.each([1, 6, 12])('outputs of a size of about %d', (scale) => {
    const f = inRows(take(B * C, normalSource(3)), C).map((row, b) =>
      likelihood._tag === 'categorical' ? row.map((v, c) => v + (c === b % C ? scale : 0)) : row,
    );
    const each = f.map((row) => definition(likelihood, row));
    const summed = combination(...each.map((Λ, b) => [WEIGHTS[b] as number, Λ] as const));
    const weights = () => tf.tensor1d(WEIGHTS);

    it('is Λ along directions and on its diagonal, for each example at its own size', () => {
      const ops = opsOf(likelihood);
      const along = inRows(ops.along(tf.tensor2d(f), tf.tensor2d(V)).dataSync(), K);
      const diagonals = inRows(ops.along(tf.tensor2d(f)).dataSync(), C);
      each.forEach((Λ, b) => {
        expect(relativeError(along[b] as number[], diagonalOf(product(transposed(V), Λ, V)))).toBeLessThan(FLOAT32);
        expect(relativeError(diagonals[b] as number[], diagonalOf(Λ))).toBeLessThan(FLOAT32);
      });
    });

    it('adds up with weights, whole and times directions', () => {
      const ops = opsOf(likelihood);
      const partial = ops.partial(tf.tensor2d(f), weights());
      expect(partial.shape).toEqual([C, ops.partialCols(C)]);
      expect(relativeError(ops.completed(host(partial)), summed)).toBeLessThan(FLOAT32);
      expect(relativeError(ops.times(tf.tensor2d(f), weights(), tf.tensor2d(V)), product(summed, V))).toBeLessThan(FLOAT32);
    });
  });

  it('counts every example once without weights', () => {
    const f = inRows(take(B * C, normalSource(3)), C);
    const ops = opsOf(likelihood);
    const ones = tf.ones([B]) as tf.Tensor1D;
    expect(relativeError(ops.partial(tf.tensor2d(f), undefined), ops.partial(tf.tensor2d(f), ones))).toBeLessThan(FLOAT32);
    const times = (w: tf.Tensor1D | undefined) => ops.times(tf.tensor2d(f), w, tf.tensor2d(V));
    expect(relativeError(times(undefined), times(ones))).toBeLessThan(FLOAT32);
  });
});
