/** Outputs at all inputs together: mean and covariance against J C Jᵀ with the Jacobians of whole batches written out. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import {
  crossCovariance,
  factoredDamping,
  gaussian,
  type JointOptions,
  jointDistribution,
  kfac,
  outputDistribution,
  type Posterior,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { peakOf } from '../../bench/memory.js';
import { expectRejection, rejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { ANGLES, BOTH, DIGITS, headData, twoHeads } from '../support/heads.js';
import { CURVATURES, FEW_TOKENS, jacobiansOf, type Linearised, linearisedCase, one, RECURRENT } from '../support/linearised.js';
import { outer, product, type Rows, transposed } from '../support/math/dense64.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { missedBy, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { chain, DENSE_NETWORKS, inputsFor } from '../support/math/networks.js';
import { numbersOf, relativeError } from '../support/math/numbers.js';
import { covarianceOf } from '../support/math/posteriors64.js';
import { expectNoLeak } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO } from '../support/zoo.js';

withWasmKernels();

const [B, B2] = [3, 2] as const;

/**
 * Float32 forward and backward passes through three or four layers on both sides of the comparison, and sums over all weights: errors
 * are some 1e-6 of the largest entry. A wrong row, a missing layer or a wrong variance is off by 1e-2 and more.
 */
const TOLERANCE = 2e-4;

/** Small enough that every piece is one example and every chunk one row or column of weights. */
const TINY: JointOptions = { memoryBudget: 1 };

/** Σ_l J_l C_l J_l'ᵀ. */
const between = (posterior: Posterior, left: ReadonlyArray<Rows>, right: ReadonlyArray<Rows>): number[][] =>
  posterior.layers
    .map((_, l) => product(left[l] as Rows, covarianceOf(posterior, l), transposed(right[l] as Rows)))
    .reduce((a, b) => a.map((row, i) => row.map((v, j) => v + (b[i]?.[j] as number))));

async function compare(
  { network, posterior, inputs, jacobians }: Linearised,
  budgets: ReadonlyArray<JointOptions> = [{}, TINY],
): Promise<void> {
  const { model, outputs: C } = network;
  const [x, x2] = [inputs(B, 21), inputs(B2, 22)];
  const [J, J2] = [jacobians(B, 21), jacobians(B2, 22)];
  const [expected, cross] = [between(posterior, J, J), between(posterior, J, J2)];
  for (const options of budgets) {
    const { mean, covariance } = await jointDistribution(model, posterior, one(x), options);
    expect(relativeError(mean, model.predict(one(x)) as tf.Tensor)).toBeLessThan(TOLERANCE);
    expect([covariance.length, covariance[0]?.length]).toEqual([B * C, B * C]);
    expect(relativeError(covariance, expected)).toBeLessThan(TOLERANCE);
    const found = await crossCovariance(model, posterior, one(x), one(x2), options);
    expect([found.length, found[0]?.length]).toEqual([B * C, B2 * C]);
    expect(relativeError(found, cross)).toBeLessThan(TOLERANCE);
  }
}

describe.each([...ZOO, ...RECURRENT, FEW_TOKENS])('$name', (zoo) => {
  it.each(CURVATURES)('%s: is J C Jᵀ over the batch, in pieces and chunks too', async (name, curvature) => {
    // ekfac and diagonal go the ways of kfac and full.
    await compare(await linearisedCase(zoo, curvature), name === 'kfac' || name === 'full' ? [{}, TINY] : [{}]);
  });
});

it.each(DENSE_NETWORKS)('is J C Jᵀ over the batch: $name', async (network) => {
  await compare(await linearisedCase(network));
  await compare(await linearisedCase(network, kfac(), { damping: factoredDamping(), priorPrecision: 3 }));
});

/** Two hidden layers and 2 outputs. */
async function regression(outputs = 2) {
  const model = chain([5, 4, outputs]);
  const data = dataFor(model, gaussian(), 12);
  const posterior = await posteriorFrom(await factorsOf(model, gaussian(), data), { priorPrecision: 0.7 });
  return { model, posterior };
}

describe('among outputs of a chain of dense layers', () => {
  it('has the blocks of outputDistribution on its diagonal', async () => {
    const { model, posterior } = await regression();
    const [x] = inputsFor(model, 6, 3) as [tf.Tensor];
    const [joint, single] = [await jointDistribution(model, posterior, x), await outputDistribution(model, posterior, x)];
    const blocks = single.covariance.map((_, b) =>
      [0, 1].flatMap((c) => [0, 1].map((d) => joint.covariance[2 * b + c]?.[2 * b + d] as number)),
    );
    expect(relativeError(joint.mean, single.mean)).toBeLessThan(1e-6);
    expect(relativeError(blocks, single.covariance)).toBeLessThan(1e-5);
  });

  it('is symmetric to the last bit, and positive semi-definite up to rounding', async () => {
    const { model, posterior } = await regression();
    // More outputs than weights: of rank 41 at most, so that the smallest eigenvalue is 0.
    const [x] = inputsFor(model, 40, 3) as [tf.Tensor];
    for (const memoryBudget of [2 ** 30, 2 ** 14]) {
      const { covariance } = await jointDistribution(model, posterior, x, { memoryBudget });
      const rows = covariance.map((row) => Array.from(row));
      expect(rows).toEqual(transposed(rows));
      const values = new EigenvalueDecomposition(new Matrix(rows)).realEigenvalues;
      const largest = Math.max(...values);
      // 80 float32 roundings of the largest.
      expect(Math.min(...values)).toBeGreaterThan(-80 * 2 ** -23 * largest);
      expect(values.filter((v) => v > 1e-4 * largest).length).toBeLessThanOrEqual(41);
    }
  });

  it('does not depend on the budget, nor on how the inputs are cut', async () => {
    const { model, posterior } = await regression();
    const [x] = inputsFor(model, 11, 3) as [tf.Tensor];
    const whole = await jointDistribution(model, posterior, x);
    const [boundless, beside] = [{ memoryBudget: Infinity }, tf.slice(x, 0, 2)];
    expect(await jointDistribution(model, posterior, x, boundless)).toEqual(whole);
    const cross = await crossCovariance(model, posterior, beside, x, boundless);
    expect(cross.map((row) => row.length)).toEqual([22, 22, 22, 22]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 10, max: 17 }), fc.integer({ min: 1, max: 10 }), async (exponent, at) => {
        const memoryBudget = 2 ** exponent;
        const { mean, covariance } = await jointDistribution(model, posterior, x, { memoryBudget });
        expect(relativeError(mean, whole.mean)).toBeLessThan(1e-6);
        expect(relativeError(covariance, whole.covariance)).toBeLessThan(1e-5);
        const [first, second] = [tf.slice(x, 0, at), tf.slice(x, at)];
        const corner = await crossCovariance(model, posterior, first, second, { memoryBudget });
        const expected = whole.covariance.slice(0, 2 * at).map((row) => row.subarray(2 * at));
        expect(distance(corner, expected, whole.covariance)).toBeLessThan(1e-5);
        tf.dispose([first, second]);
      }),
      { numRuns: 6, seed: 6 },
    );
  });

  it('scales with the temperature, to nothing at 0', async () => {
    const { model, posterior } = await regression();
    const [x] = inputsFor(model, 3, 3) as [tf.Tensor];
    const at = async (temperature: number) => (await jointDistribution(model, posterior, x, { temperature })).covariance;
    expect(
      relativeError(
        (await at(4)).map((row) => row.map((v) => v / 4)),
        await at(1),
      ),
    ).toBeLessThan(1e-6);
    expect(numbersOf(await at(0)).every((v) => v === 0)).toBe(true);
  });

  it('gives the variance of a mean over inputs that samples of the linearised network have', async () => {
    const { model, posterior } = await regression(1);
    const [x] = inputsFor(model, 7, 3) as [tf.Tensor];
    const { covariance } = await jointDistribution(model, posterior, x);
    const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
    const J = jacobiansOf(network, posterior, [x]);
    const normal = normalSource(9);
    const roots = posterior.layers.map((_, l) =>
      new CholeskyDecomposition(new Matrix(symmetric(covarianceOf(posterior, l)))).lowerTriangularMatrix.to2DArray(),
    );
    const draws = Array.from({ length: 2000 }, () => {
      const f = roots
        .map((root, l) => product(J[l] as Rows, root, transposed([take(root.length, normal)])))
        .reduce((a, b) => a.map((row, i) => [(row[0] as number) + (b[i]?.[0] as number)]));
      return outer(f.flat(), f.flat()).flat();
    });
    expect(missedBy(draws, numbersOf(covariance))).toBeLessThan(STANDARD_ERRORS);
  });

  it('stays within the budget where single examples and rows allow it', async () => {
    const model = chain([64, 48, 2], { inputs: 32 });
    const posterior = await posteriorFrom(await factorsOf(model, gaussian(), dataFor(model, gaussian(), 12)), {});
    const [x] = inputsFor(model, 60, 3) as [tf.Tensor];
    const { bytes: weights } = await peakOf(() => outputDistribution(model, posterior, tf.slice(x, 0, 1)));
    const peak = async (memoryBudget: number) =>
      (await peakOf(() => jointDistribution(model, posterior, x, { memoryBudget }))).bytes;
    const [small, large] = [await peak(2 ** 20), await peak(2 ** 30)];
    // The posterior's own matrices are not in the budget.
    expect(small).toBeLessThan(weights + 2 ** 20);
    expect(large).toBeGreaterThan(4 * small);
  });
});

it('holds how several outputs vary with each other', async () => {
  const { model } = twoHeads();
  const data = headData(model, 6);
  const posterior = await posteriorFrom(await pass(model, BOTH, data, kfac()), { priorPrecision: 0.5 });
  const [joint, single] = [await jointDistribution(model, posterior, data.x), await outputDistribution(model, posterior, data.x)];
  const C = DIGITS + ANGLES;
  const blocks = single.covariance.map((_, b) =>
    joint.covariance.slice(C * b, C * (b + 1)).flatMap((row) => [...row.subarray(C * b, C * (b + 1))]),
  );
  expect(relativeError(blocks, single.covariance)).toBeLessThan(1e-5);
});

describe('refuses', () => {
  it('what predict refuses, and budgets that are none', async () => {
    const { model, posterior } = await regression();
    const x = tf.ones([2, 3]);
    const bad = tf.tensor2d([[1, Number.NaN, 2]]);
    await expectRejection(jointDistribution(model, posterior, tf.ones([2, 4])), 'InvalidInput', { field: 'x' });
    await expectRejection(crossCovariance(model, posterior, x, tf.ones([2, 4])), 'InvalidInput', { field: 'x' });
    await expectRejection(jointDistribution(model, posterior, bad), 'NotFinite', { field: 'x' });
    await expectRejection(crossCovariance(model, posterior, bad, x), 'NotFinite', { field: 'x' });
    await expectRejection(crossCovariance(model, posterior, x, bad), 'NotFinite', { field: 'x' });
    await expectRejection(jointDistribution(chain([5, 4, 2], { seed: 2 }), posterior, x), 'Mismatch');
    for (const temperature of [-1, Number.NaN, Infinity]) {
      await expectRejection(jointDistribution(model, posterior, x, { temperature }), 'InvalidOption', { field: 'temperature' });
    }
    for (const memoryBudget of [0, -1, Number.NaN]) {
      await expectRejection(crossCovariance(model, posterior, x, x, { memoryBudget }), 'InvalidOption', {
        field: 'memoryBudget',
      });
    }
  });

  it('a structure of curvature that it does not know', async () => {
    const { model, posterior } = await regression();
    const [first, ...rest] = posterior.layers as [Posterior['layers'][number], ...Posterior['layers']];
    const foreign = { ...posterior, layers: [{ ...first, structure: 'another' as never }, ...rest] };
    await expectRejection(jointDistribution(model, foreign, tf.ones([2, 3])), 'UnsupportedLayer', { layer: first.name });
  });
});

it('leaves nothing on the device', async () => {
  const { model, posterior } = await regression();
  const [x] = inputsFor(model, 5, 3) as [tf.Tensor];
  for (const memoryBudget of [2 ** 12, 2 ** 30]) {
    await expectNoLeak(() => jointDistribution(model, posterior, x, { memoryBudget }));
    await expectNoLeak(() => crossCovariance(model, posterior, x, [[1, 2, 3]], { memoryBudget }));
  }
  await expectNoLeak(() => rejection(jointDistribution(model, posterior, [[1, 2, Number.NaN]])));
  await expectNoLeak(() => rejection(crossCovariance(model, posterior, x, [[1, 2]])));
  expect(x.isDisposed).toBe(false);
});

/** Without what rounding leaves between the two halves. */
const symmetric = (a: Rows): number[][] => a.map((row, i) => row.map((v, j) => (v + (a[j]?.[i] as number)) / 2));

/** Largest difference relative to the largest entry of `whole`: a corner of a covariance can be small as a whole. */
function distance(
  found: ArrayLike<ArrayLike<number>>,
  expected: ArrayLike<ArrayLike<number>>,
  whole: ArrayLike<ArrayLike<number>>,
): number {
  const [a, b] = [numbersOf(found), numbersOf(expected)];
  expect(a).toHaveLength(b.length);
  const scale = Math.max(...numbersOf(whole).map(Math.abs));
  return Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number)))) / scale;
}
