/**
 * What tells the prior precision without held-out data: the evidence, and the NLL of training images that are left out one by one, beside
 * the NLL of images that the network has not seen. 784-256-256-10 on 6,000 images, 10 epochs, as in `quality`. No bars: it is a comparison.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  accumulateFactors,
  categorical,
  evidence,
  isotropic,
  kfac,
  type LeaveOneOutForm,
  leaveOneOut,
  linearised,
  meanWithError,
  nll,
  observe,
  orThrow,
  type Posterior,
  predict,
  toPosterior,
  withPrior,
} from 'tfjs-laplace';
import { trainingSet } from '../recipes/mnist/data.js';
import { batchesOf, type Digits, inputsOf, parts, slice } from '../recipes/mnist/digits.js';
import { createNetwork } from '../recipes/mnist/network.js';
import { trainOn } from '../recipes/mnist/plainTraining.js';
import type { BenchResult } from './harness.js';

const [TRAINING, LEFT_OUT, HELD_OUT] = [6000, 1000, 3000];
const [HIDDEN, EPOCHS, BATCH, SEED] = [256, 10, 128, 1];
const PRECISIONS = [0.1, 1, 10, 30, 100, 300, 1000, 10_000];

/** The mean NLL of digits under the linearised predictive, by default at temperature 1. */
async function lossOf(model: LayersModel, posterior: Posterior, digits: Digits, temperature = 1): Promise<number> {
  const parts = await lastValueFrom(
    from(inputsOf(digits, BATCH)).pipe(predict(model, posterior, linearised({ temperature })), toArray()),
  );
  const rows = parts.flatMap((part) => (part._tag === 'classification' ? part.probabilities : []));
  return orThrow(nll(rows, digits.labels));
}

export async function bench(): Promise<BenchResult> {
  const [training, heldOut] = parts(trainingSet(), [TRAINING, HELD_OUT], 100 + SEED) as [Digits, Digits];
  const model = createNetwork(HIDDEN, { seed: SEED });
  await trainOn(model, training, { epochs: EPOCHS, seed: SEED });
  const pass = from(batchesOf(training, BATCH)).pipe(observe(model, categorical()), accumulateFactors(kfac()), toPosterior());
  const posterior = await lastValueFrom(pass);
  const seen = slice(training, 0, LEFT_OUT);
  const own = batchesOf(seen, BATCH);
  const rows: string[][] = [];
  let milliseconds = 0;
  for (const tau of PRECISIONS) {
    const under = orThrow(withPrior(posterior, isotropic(tau)));
    const found = async (form?: LeaveOneOutForm) => leaveOneOut(model, under, own, form === undefined ? {} : { form });
    const start = performance.now();
    const byDefault = await found();
    milliseconds += (performance.now() - start) / PRECISIONS.length;
    const plain = byDefault.form === 'plain' ? byDefault : await found('plain');
    const shown = ({ nll: { value, standardError } }: typeof plain): string =>
      `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
    const { logMarginalLikelihood } = evidence(under);
    rows.push([
      String(tau),
      (logMarginalLikelihood / TRAINING).toFixed(3),
      shown(byDefault),
      byDefault.form,
      String(byDefault.untrusted),
      shown(plain),
      orThrow(meanWithError(byDefault.leverage)).value.toFixed(2),
      (await lossOf(model, under, seen)).toFixed(3),
      (await lossOf(model, under, heldOut)).toFixed(3),
    ]);
    process.stderr.write(`${rows.at(-1)?.join('  ')}\n`);
  }
  const [ownSeen, ownHeldOut] = [await lossOf(model, posterior, seen, 0), await lossOf(model, posterior, heldOut, 0)];
  model.dispose();
  return {
    rows: [{ name: `leaveOneOut on ${LEFT_OUT} images`, ms: milliseconds }],
    tables: [
      {
        title: `784-256-256-10 on ${TRAINING} images; ${LEFT_OUT} of them left out one by one, and ${HELD_OUT} held out`,
        head: ['τ', 'evidence / N', 'LOO NLL', 'form', 'untrusted', 'LOO NLL, plain', 'leverage', 'training NLL', 'held-out NLL'],
        rows,
      },
    ],
    bars: [],
    notes: [
      `The trained network itself: NLL ${ownSeen.toFixed(3)} on the ${LEFT_OUT} training images, ${ownHeldOut.toFixed(3)} on the held-out ones.`,
      'The evidence is in nats for each of the training images. "untrusted" counts the images whose corrected form cannot be trusted.',
    ],
  };
}
