/** A kernel that is not there. (Lost WebGL contexts are tried in a browser: `__tests__/browser`.) */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  categorical,
  kfac,
  type LaplaceError,
  observe,
  outputDistribution,
  type Posterior,
  predict,
  sampleModels,
  toPosterior,
} from 'tfjs-laplace';
import { fromDevice } from 'tfjs-laplace/extend';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection } from '../support/errors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let x: tf.Tensor;
let y: tf.Tensor;
let model: tf.Sequential;
beforeAll(() => {
  ({ x, y } = dataOf(classes, 12));
  model = chain(classes);
});

const factors = () =>
  lastValueFrom(of({ x, y }).pipe(observe(model, categorical()), accumulateFactors(kfac({ fisher: 'exact' }))));

/** Runs on the backend of this test run as if it lacked a kernel. */
async function without<A>(name: string, run: () => Promise<A>): Promise<A> {
  const kernel = tf.getKernel(name, tf.getBackend());
  tf.unregisterKernel(name, tf.getBackend());
  try {
    return await run();
  } finally {
    tf.registerKernel(kernel);
  }
}

/** What the error of a missing kernel says, wherever it comes from. */
const expectMissing = async (kernel: string, run: () => Promise<unknown>): Promise<LaplaceError> => {
  const error = await without(kernel, () => expectRejection(run(), 'Backend'));
  expect(error.message).toContain(`The backend '${tf.getBackend()}' has no kernel '${kernel}'`);
  if (tf.getBackend() === 'wasm') expect(error.message).toContain('tfjs-laplace/plugins/wasm-kernels');
  return error;
};

describe('a backend without a kernel is named, with the kernel, by the error of', () => {
  let posterior: Posterior;
  beforeAll(async () => {
    posterior = await lastValueFrom(from(factors()).pipe(toPosterior()));
  });

  it('the pass that gathers factors', () => expectMissing('Tanh', factors));

  it('a backward pass, which makes an error of its own of what cannot be differentiated', async () => {
    // Nothing but the gradient of tanh squares here.
    expect(await expectMissing('Square', factors)).toMatchObject({ cause: { kind: 'UnsupportedLayer' } });
  });

  it('predict', () => expectMissing('Tanh', () => lastValueFrom(of(x).pipe(predict(model, posterior)))));
  it('outputDistribution', () => expectMissing('Tanh', () => outputDistribution(model, posterior, x)));
  it('sampleModels', () => expectMissing('Sqrt', () => lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 1 })))));

  it('the callback, while training goes on', () =>
    expectMissing('IsFinite', async () => {
      const curvature = laplaceCallback({ likelihood: categorical(), curvature: kfac({ fisher: 'exact' }) });
      await model.fit(x, y, { epochs: 1, verbose: 0, callbacks: curvature });
      return lastValueFrom(curvature.factors$);
    }));

  it('and nothing is left on the device', async () => {
    await expectNoLeak(() => without('Tanh', () => factors().catch(() => {})));
  });
});

it('a read that succeeds is its value, one that fails its own error', async () => {
  expect(await fromDevice(Promise.resolve(1))).toBe(1);
  await expect(fromDevice(Promise.reject(new Error('why')))).rejects.toThrow('why');
});
