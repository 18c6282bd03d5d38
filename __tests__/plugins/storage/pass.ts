/** A pass with a checkpoint after every batch, until it ends or is killed. Writes a line once it has begun, and its sums to a file at the end. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, gaussian, kfac, observe } from 'tfjs-laplace';
import { checkpoint, saveFactors } from 'tfjs-laplace/plugins/storage';

const [place, result] = process.argv.slice(2) as [string, string];
await tf.setBackend('cpu');
const numbers = (count: number, factor: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(factor * i));
const model = tf.sequential({
  layers: [tf.layers.dense({ units: 4, activation: 'tanh', inputShape: [3] }), tf.layers.dense({ units: 2 })],
});
model.setWeights(model.getWeights().map((w, i) => tf.tensor(numbers(w.size, i + 1), w.shape)));
const data = { x: tf.tensor2d(numbers(900, 0.7), [300, 3]), y: tf.tensor2d(numbers(600, 0.3), [300, 2]) };
console.log('begun');
const factors = await lastValueFrom(
  from(batches(data, 5)).pipe(
    observe(model, gaussian()),
    accumulateFactors(kfac(), { checkpoint: checkpoint(`file://${place}`, { every: 1 }) }),
  ),
);
await saveFactors(factors, `file://${result}`);
