/** With 300 classes the columns of Λ are 90,000 numbers an example, so that a batch of 200 goes through in several chunks. */
import * as tf from '@tensorflow/tfjs';
import { categorical, type Factors, kfac } from 'tfjs-laplace';
import { forSeeds } from '../../src/curvature/fisher/seeds.js';
import { forward } from '../../src/network/forward.js';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { key } from '../../src/random/key.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { type Data, dataFor, right } from '../support/math/laplace.js';
import { hessian } from '../support/math/likelihoods64.js';
import { chain } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';

withWasmKernels();

const C = 300;
const N = 200;
/** 16 million numbers are looked at together: those of 186 examples. */
const CHUNK = Math.floor(2 ** 24 / C ** 2);

const likelihood = categorical();
let model: tf.LayersModel;
let data: Data;

beforeAll(() => {
  model = chain([4, C]);
  data = dataFor(model, likelihood, N);
});

/** Sums of 60,000 float32 rows in another order: √60000 · 2⁻²⁴. */
const FLOAT32 = 5e-5;

/** Σ Λ over examples, the last layer's own sum. */
function definition(): number[][] {
  const outputs = (model.predict(data.x[0] as tf.Tensor) as tf.Tensor).arraySync() as number[][];
  const sum = Array.from({ length: C }, () => new Array<number>(C).fill(0));
  for (const f of outputs) {
    hessian(likelihood, f).forEach((row, i) => row.forEach((v, j) => ((sum[i] as number[])[j] = (sum[i]?.[j] as number) + v)));
  }
  return sum;
}

it('is cut', () => {
  expect(CHUNK).toBeGreaterThan(1);
  expect(CHUNK).toBeLessThan(N);
});

it('exact: chunks of a batch give the sums of small batches, and those of the definition', async () => {
  const [cut, small] = [await pass(model, likelihood, data, kfac(), N), await pass(model, likelihood, data, kfac(), 50)];
  expectSameFactors(cut, small, FLOAT32);
  expect([cut.rows, small.rows]).toEqual([C * N, C * N]);
  expect(relativeError(kronecker(cut.layers.at(-1)).gradient, definition())).toBeLessThan(FLOAT32);
});

it('truncated: every chunk falls short by less than the tolerance', async () => {
  const trace = definition().reduce((sum, row, i) => sum + (row[i] as number), 0);
  const found: Factors = await pass(model, likelihood, data, kfac({ fisher: { _tag: 'truncated', tolerance: 0.1 } }), N);
  const { data: G } = kronecker(found.layers.at(-1)).gradient;
  const own = Array.from({ length: C }, (_, i) => G[i * C + i] as number).reduce((a, b) => a + b);
  expect(1 - own / trace).toBeGreaterThan(0);
  expect(1 - own / trace).toBeLessThan(0.1 + FLOAT32);
  expect(found.rows).toBeLessThan(C * N);
});

it('monteCarlo: the chunks of a batch draw independently, each for its own examples', () => {
  // As many draws as let two examples through at a time.
  const draws = Math.floor(2 ** 24 / (2 * C));
  const network = right(withBlocks(right(readNetwork(model, likelihood)), 'all'));
  const sums: number[][] = [];
  tf.tidy(() => {
    // Four times the same example.
    const x = [tf.ones([4, 3])];
    const observation = { network, tape: forward(network, x), targets: tf.zeros([4, C]) as tf.Tensor2D, key: key(3) };
    const sent = forSeeds({ _tag: 'monteCarlo', samples: draws, seed: 0 }, observation, ({ rows, stack }) => {
      if (stack._tag !== 'gathered') throw new Error('chunks say which examples they are of');
      const examples = stack.examples.arraySync();
      const own = tf.unsortedSegmentSum(rows, stack.examples, 4).arraySync() as number[][];
      for (const b of new Set(examples))
        sums[b] = (sums[b] ?? new Array<number>(C).fill(0)).map((v, c) => v + (own[b]?.[c] as number));
    });
    expect(sent).toBe(4 * draws);
  });
  expect(sums).toHaveLength(4);
  expect(new Set(sums.map((row) => row.map((v) => v.toFixed(3)).join())).size).toBe(4);
});

it('leaves nothing on the device', async () => {
  await expectNoLeak(() => pass(model, likelihood, data, kfac(), N));
});
