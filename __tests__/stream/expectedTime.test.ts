/** What a pass will take, told beforehand: a bound that a real one does not fall far below. */
import type * as tf from '@tensorflow/tfjs';
import { categorical, coverage, diagonal, expectedTime, kfac } from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { expectRejection } from '../support/errors.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';

const coverageOf = (model: tf.LayersModel, curvature = kfac()) =>
  right(coverage(model, { likelihood: categorical(), curvature }));

it('is no longer than three times what a pass takes', async () => {
  const model = chain([256, 256, 4], { inputs: 64 });
  const examples = 256;
  const data = dataFor(model, categorical(), examples);
  const pass = async (): Promise<number> => {
    const start = performance.now();
    await factorsOf(model, categorical(), data, kfac());
    return (performance.now() - start) / 1000;
  };
  await pass();
  const taken = Math.max(await pass(), await pass());
  expect((await expectedTime(coverageOf(model), { examples })).pass).toBeLessThan(3 * taken);
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
}, 30_000);
