/** The number of operations that `coverage` tells beforehand, against the products that a pass computes. */
import * as tf from '@tensorflow/tfjs';
import { categorical, coverage, kfac } from 'tfjs-laplace';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';

/** Multiplications and additions in the matrix products of `run`: 2 for each row, column and term. */
async function operationsOf(run: () => Promise<unknown>): Promise<number> {
  const { kernels } = await tf.profile(() => run() as never);
  const products = kernels.filter(({ name }) => name === 'BatchMatMul' || name === '_FusedMatMul');
  return products.reduce((sum, { inputShapes: [a, b], outputShapes: [out] }) => {
    const [left, right, result] = [a, b, out].map((shape) => tf.util.sizeFromShape(shape as number[])) as [
      number,
      number,
      number,
    ];
    return sum + 2 * Math.sqrt(left * right * result);
  }, 0);
}

it('counts the products of a pass', async () => {
  const model = chain([256, 256, 4], { inputs: 64 });
  const examples = 256;
  const data = dataFor(model, categorical(), examples);
  const found = await operationsOf(() => factorsOf(model, categorical(), data, kfac(), examples));
  const { operationsPerExample } = right(coverage(model, { likelihood: categorical(), curvature: kfac() }));
  // Coverage counts a few operations besides the products: two thousandths of them here.
  expect((operationsPerExample * examples) / found).toBeGreaterThanOrEqual(1);
  expect((operationsPerExample * examples) / found).toBeLessThan(1.01);
});
