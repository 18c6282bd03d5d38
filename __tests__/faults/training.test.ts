/**
 * One callback and several trainings. (Training that fails, is stopped or ends too early: `restored`, `earlyStopping` and `epochs` of
 * `plugins/tfjs-callback`; two trainings one after another: `streams` there.)
 */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { everyEpoch, fingerprint, gaussian } from 'tfjs-laplace';
import {
  type EvidenceCallback,
  evidenceCallback,
  type LaplaceCallback,
  laplaceCallback,
} from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../support/errors.js';
import { expectSameFactors } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair, withFixedWeights } from '../support/networks.js';
import { surface } from '../support/training.js';

const numbers = pair('numbers');
let x: tf.Tensor;
let y: tf.Tensor;
beforeAll(() => {
  ({ x, y } = dataOf(numbers, 10));
});
const train = (model: tf.LayersModel, callbacks: LaplaceCallback | EvidenceCallback | (LaplaceCallback | EvidenceCallback)[]) =>
  model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, callbacks: callbacks as never });
const observer = () => laplaceCallback({ likelihood: numbers.likelihood, epochs: everyEpoch() });

describe('one callback for two models at once', () => {
  it('refuses the second training, and observes the first as if it were alone', async () => {
    const [first, second, alone] = [chain(numbers), withFixedWeights(chain(numbers), 9), chain(numbers)];
    const callback = observer();
    const training = train(first, callback);
    const error = await expectRejection(train(second, callback), 'NotReady');
    expect(error.message).toContain(second.name);
    expect(error.message).toContain(first.name);
    await training;
    const own = observer();
    await train(alone, own);
    expectSameFactors(await lastValueFrom(callback.factors$), await lastValueFrom(own.factors$), 0);
    expect(await fingerprint(first)).toBe(await fingerprint(alone));
    // The second model is not trained, and can be.
    expect(await fingerprint(second)).toBe(await fingerprint(withFixedWeights(chain(numbers), 9)));
    await train(second, callback);
    expect((await lastValueFrom(callback.factors$)).fingerprint).toBe(await fingerprint(second));
  });

  it('refuses it after the first observation has failed too, while that training goes on', async () => {
    const [first, second] = [chain(numbers), withFixedWeights(chain(numbers), 9)];
    const callback = observer();
    const spoilt = tf.fill(x.shape as [number, number], Number.NaN);
    const training = first.fit(spoilt, y, { epochs: 3, batchSize: 4, verbose: 0, callbacks: callback });
    await rejection(lastValueFrom(callback.factors$));
    await expectRejection(train(second, callback), 'NotReady');
    await training;
    await expectRejection(lastValueFrom(callback.factors$), 'NotFinite');
  });

  it('leaves nothing on the device or on either model', async () => {
    const models = [chain(numbers), withFixedWeights(chain(numbers), 9)] as const;
    const run = async () => {
      const callback = observer();
      const training = train(models[0], callback);
      await expectRejection(train(models[1], callback), 'NotReady');
      await training;
    };
    await run();
    const before = models.map(surface);
    await expectNoLeak(run);
    expect(models.map(surface)).toEqual(before);
  });

  it('refuses a callback that stands twice in one list, and the one that chooses priors', async () => {
    const callback = observer();
    const error = await expectRejection(train(chain(numbers), [callback, callback]), 'NotReady');
    expect(error.message).toContain('twice in one list');
    const evidence = evidenceCallback({ likelihood: gaussian({ noiseVariance: 0.3 }) });
    const training = train(chain(numbers), evidence);
    await expectRejection(train(chain(numbers), evidence), 'NotReady');
    await training;
    expect((await lastValueFrom(evidence.posterior$)).datasetSize).toBe(10);
  });
});

it('two trainings of one model at once: tfjs refuses the second, and the first is observed to its end', async () => {
  const model = chain(numbers);
  const callback = observer();
  const training = train(model, callback);
  await expect(train(model, observer())).rejects.toThrow('another fit()');
  await training;
  expect((await lastValueFrom(callback.factors$)).fingerprint).toBe(await fingerprint(model));
});
