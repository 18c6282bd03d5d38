/**
 * What the callback adds to `fit` with its defaults: five epochs of 784-1200-1200-10 without it, with it, and with it where training
 * may end at any time, so that every epoch is observed. Bar: the default adds no more than one observed epoch of five costs.
 */
import * as tf from '@tensorflow/tfjs';
import { finalEpochs } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { createNetwork } from '../recipes/mnist/network.js';
import { type BenchResult, type Subject, time } from './harness.js';

const EXAMPLES = 2560;
const BATCH = 128;
const EPOCHS = 5;
const ROUNDS = 5;

export async function bench(): Promise<BenchResult> {
  const model = createNetwork(1200);
  const x = tf.randomUniform([EXAMPLES, 784], 0, 1, 'float32', 3);
  const y = tf.tidy(() => tf.oneHot(tf.randomUniform([EXAMPLES], 0, 10, 'int32', 4) as tf.Tensor1D, 10).toFloat());
  const train = async (stopsEarly?: boolean, observed = true): Promise<void> => {
    const epochs = finalEpochs(1, stopsEarly === undefined ? {} : { stopsEarly });
    const callbacks = observed ? laplaceCallback({ likelihood: 'categorical', epochs }) : [];
    await model.fit(x, y, { epochs: EPOCHS, batchSize: BATCH, verbose: 0, callbacks });
  };
  const subjects: ReadonlyArray<Subject> = [
    { name: 'without', run: () => train(undefined, false) },
    { name: 'finalEpochs(1)', run: () => train() },
    { name: 'finalEpochs(1, { stopsEarly: true })', run: () => train(true) },
  ];
  const times = await time(subjects, ROUNDS, 1);
  const ms = (name: string): number => times.get(name) as number;
  const ratio = (name: string): number => ms(name) / ms('without');
  const [, one, every] = subjects.map(({ name }) => name) as [string, string, string];
  return {
    rows: subjects.map(({ name }) => ({ name: `fit of ${EPOCHS} epochs, ${name}`, ms: ms(name) })),
    bars: [{ name: 'fit with the default callback, times as long as without', value: ratio(one), limit: 1.2, atMost: true }],
    notes: [`observing every epoch: ${ratio(every).toFixed(2)} times as long as without`],
  };
}
