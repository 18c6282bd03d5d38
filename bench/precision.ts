/**
 * What the prior precision does to the predictions of a small network for digits: the trained network itself, the default, the
 * maximum of the evidence, and the best of a grid on held-out digits. Bars: the warning of `laplaceApproximation` tells the default
 * from the best.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Classification,
  categorical,
  isotropic,
  kfac,
  maximiseEvidence,
  nll,
  observe,
  orThrow,
  type Posterior,
  predict,
  type Tried,
  toPosterior,
  tune,
  weightSampling,
  withPrior,
} from 'tfjs-laplace';
import { readNetwork } from 'tfjs-laplace/extend';
import { ALLOWED, compare } from '../plugins/laplace-approximation/compare.js';
import { smallDigits, trainedOn } from './digits.js';
import type { BenchResult, Row } from './harness.js';

const TRAINING = 5000;
const HELD_OUT = 1000;
const TEST = 2000;
const EPOCHS = 15;
const BATCH = 128;
const PRECISIONS = [1, 3, 10, 30, 100, 300, 1000, 3000];

export async function bench(): Promise<BenchResult> {
  const data = smallDigits(0, TRAINING);
  const heldOut = smallDigits(TRAINING, TRAINING + HELD_OUT);
  const test = smallDigits(TRAINING + HELD_OUT, TRAINING + HELD_OUT + TEST);
  const classesOf = (y: tf.Tensor) => tf.tidy(() => tf.argMax(y, 1).dataSync());
  const [known, asked] = [classesOf(heldOut.y), classesOf(test.y)];
  const model = await trainedOn(data, EPOCHS);
  const network = orThrow(readNetwork(model, categorical()));

  const start = performance.now();
  const pass = from(batches(data, BATCH)).pipe(observe(model, categorical()), accumulateFactors(kfac()), toPosterior());
  const posterior = await lastValueFrom(pass);
  const passed = performance.now();
  const compared = (own: Posterior) => compare({ model, network, posterior: own, data, batchSize: BATCH });
  await compared(posterior);
  const rows: Row[] = [
    { name: `pass over ${TRAINING} digits and decompositions`, ms: passed - start },
    { name: 'comparison for the warning', ms: performance.now() - passed },
  ];

  const predicted = async (own: Posterior, x: tf.Tensor, sampled = false) => {
    const how = sampled ? weightSampling({ samples: 20 }) : undefined;
    return (await lastValueFrom(from([x]).pipe(predict(model, own, how)))) as Classification;
  };
  const map = (x: tf.Tensor) => tf.tidy(() => (model.predict(x) as tf.Tensor2D).arraySync());
  const notes = [`trained network: NLL ${orThrow(nll(map(test.x), asked)).toFixed(3)} on ${TEST} test digits`];
  const describe = async (name: string, own: Posterior): Promise<number> => {
    const found = await compared(own);
    if (found === undefined) throw new Error('classes can be judged');
    const gap = found.linearised.posterior - found.linearised.network;
    const [linearised, networks] = [await predicted(own, test.x), await predicted(own, test.x, true)];
    const scores = [linearised, networks].map(({ probabilities }) => orThrow(nll(probabilities, asked)).toFixed(3));
    const [{ priorPrecision }] = own.layers as [Posterior['layers'][number]];
    const tau =
      new Set(own.layers.map((layer) => layer.priorPrecision)).size > 1
        ? 'a τ for each layer'
        : `τ = ${priorPrecision.toPrecision(3)}`;
    notes.push(
      `${name}, ${tau}: NLL ${scores[0]}, 20 sampled networks ${scores[1]}; on training digits ${gap.toFixed(3)} above the network's`,
    );
    return gap;
  };

  let best = posterior;
  let least = Number.POSITIVE_INFINITY;
  for (const tau of PRECISIONS) {
    const own = orThrow(withPrior(posterior, isotropic(tau)));
    const score = orThrow(nll((await predicted(own, heldOut.x)).probabilities, known));
    if (score < least) [best, least] = [own, score];
  }
  const byDefault = await describe('default', posterior);
  await describe('evidence', orThrow(maximiseEvidence(posterior)).posterior);
  await describe('evidence', orThrow(maximiseEvidence(posterior, { per: 'layer' })).posterior);
  const chosen = await describe(`best of ${PRECISIONS.join(', ')} on ${HELD_OUT} held-out digits`, best);
  const began = performance.now();
  const tuned = await tune(model, posterior, batches(heldOut, BATCH));
  rows.push({ name: `tune on ${HELD_OUT} digits: ${tuned.candidates.length} precisions`, ms: performance.now() - began });
  const of = ({ precision, scale, criterion }: Tried) =>
    `τ = ${precision.toPrecision(3)}, scale ${scale.toFixed(2)}, held-out NLL ${criterion.toFixed(3)}`;
  const own = (await lastValueFrom(from([test.x]).pipe(predict(model, tuned.posterior, tuned.predictive)))) as Classification;
  notes.push(
    `tune: ${of(tuned.chosen)} (${tuned.verdict} than the network): test NLL ${orThrow(nll(own.probabilities, asked)).toFixed(3)}`,
    `  best ${of(tuned.choices.best)}; evidence ${of(tuned.choices.evidence)}; network at its best temperature ${tuned.network.fitted.criterion.toFixed(3)}`,
  );
  const bars = [
    { name: 'default: nats above the trained network', value: byDefault, limit: ALLOWED.classes, atMost: false },
    { name: 'best: nats above the trained network', value: chosen, limit: ALLOWED.classes, atMost: true },
  ];
  return { rows, bars, notes };
}
