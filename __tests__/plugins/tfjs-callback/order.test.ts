/** A callback that sets weights when training ends: behind ours it makes the factors stale, and the error says so. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, timeout } from 'rxjs';
import { fingerprint, predict, sampleModels, toPosterior } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../../support/errors.js';
import { chain, dataOf, pair } from '../../support/networks.js';

const classes = pair('classes, softmax inside');

let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
});

/** Keeps the weights of the first epoch, and puts them back when training ends. */
class RestoresBest extends tf.Callback {
  private best: tf.Tensor[] = [];

  override async onEpochEnd(epoch: number): Promise<void> {
    if (epoch === 0) this.best = this.model.getWeights().map((w) => tf.keep(w.clone()));
  }

  override async onTrainEnd(): Promise<void> {
    this.model.setWeights(this.best);
    tf.dispose(this.best);
  }
}

async function trained(place: 'first' | 'last') {
  const model = chain(classes);
  const ours = laplaceCallback({ likelihood: 'categorical' });
  const callbacks = place === 'last' ? [new RestoresBest(), ours] : [ours, new RestoresBest()];
  await model.fit(data.x, data.y, { epochs: 3, batchSize: 4, verbose: 0, callbacks: callbacks as never });
  const posterior = await lastValueFrom(ours.factors$.pipe(toPosterior()));
  return { model, posterior };
}

it('last in the list, ours takes the weights that were put back', async () => {
  const { model, posterior } = await trained('last');
  expect(posterior.fingerprint).toBe(await fingerprint(model));
  const prediction = await lastValueFrom(from([data.x]).pipe(predict(model, posterior)));
  expect(prediction._tag).toBe('classification');
});

it('before it, the posterior does not fit the model, and the error names the order', async () => {
  const { model, posterior } = await trained('first');
  const uses = [from([data.x]).pipe(predict(model, posterior)), from([posterior]).pipe(sampleModels(model))];
  for (const use of uses) {
    const error = await expectRejection(lastValueFrom(use as typeof use & ReturnType<typeof from>), 'Mismatch', {
      field: 'fingerprint',
    });
    expect(error.remedy).toContain('put laplaceCallback behind it: last in the list of callbacks');
  }
});

it('factors$ waits for a training that never comes, which a timeout ends', async () => {
  const waiting = laplaceCallback({ likelihood: 'categorical' }).factors$.pipe(timeout({ first: 1 }));
  expect(await rejection(lastValueFrom(waiting))).toMatchObject({ name: 'TimeoutError' });
});
