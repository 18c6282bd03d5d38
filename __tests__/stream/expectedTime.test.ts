/** How long a pass will take, told beforehand: the operations that it takes, at the speed that a small product shows. */
import * as tf from '@tensorflow/tfjs';
import { categorical, coverage, diagonal, expectedTime, kfac } from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { expectRejection } from '../support/errors.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';

const coverageOf = (model: tf.LayersModel, curvature = kfac()) =>
  right(coverage(model, { likelihood: categorical(), curvature }));

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

it('is what the products of a pass take, at the speed of the product that is timed', async () => {
  const model = chain([256, 256, 4], { inputs: 64 });
  const examples = 256;
  const data = dataFor(model, categorical(), examples);
  const operations = await operationsOf(() => factorsOf(model, categorical(), data, kfac(), examples));
  // A machine that takes a second for each product of 512 × 512 matrices: the clock goes on by a second with every look at it.
  let seconds = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => 1000 * seconds++);
  try {
    const { pass } = await expectedTime(coverageOf(model), { examples });
    const taken = operations / (2 * 512 ** 3);
    // Coverage counts a few operations besides the products: two thousandths of them here.
    expect(pass / taken).toBeGreaterThanOrEqual(1);
    expect(pass / taken).toBeLessThan(1.01);
  } finally {
    clock.mockRestore();
  }
});

it('says how long the decompositions take, by the engine that is named, and nothing where there are none', async () => {
  const model = chain([6, 3]);
  const { pass, decompositions } = await expectedTime(coverageOf(model), { examples: 10, engine: javascriptEngine });
  expect(pass).toBeGreaterThan(0);
  expect(decompositions).toBeGreaterThan(0);
  expect((await expectedTime(coverageOf(model, diagonal()), { examples: 10 })).decompositions).toBe(0);
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d examples', (examples) =>
  expectRejection(expectedTime(coverageOf(chain([3])), { examples }), 'InvalidOption', { field: 'examples' }),
);

it('passes on that an engine is not there', () =>
  expectRejection(expectedTime(coverageOf(chain([3])), { examples: 1, engine: 'none' as 'wasm' }), 'InvalidOption'));

it('leaks nothing', () => {
  const found = coverageOf(chain([3]), diagonal());
  return expectNoLeak(async () => void (await expectedTime(found, { examples: 1 })));
});
