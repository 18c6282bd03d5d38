/**
 * What tells the prior precision without held-out data: the evidence, and the NLL of training images that are left out one by one, beside
 * the NLL of images that the network has not seen. 784-256-256-10 on 6,000 images: one network, trained for 10 epochs as in `quality` and
 * read under several τ; and networks that are trained for 30 epochs, each with the weight decay of its own τ. No bars: it is a comparison.
 */
import { train } from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, regularizers, sequential } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  accumulateFactors,
  categorical,
  evidence,
  isotropic,
  kfac,
  type LeaveOneOut,
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
import { batchesOf, CLASSES, type Digits, inputsOf, PIXELS, parts, slice } from '../recipes/mnist/digits.js';
import { createNetwork } from '../recipes/mnist/network.js';
import { trainOn } from '../recipes/mnist/plainTraining.js';
import type { BenchResult } from './harness.js';

const [TRAINING, LEFT_OUT, HELD_OUT] = [6000, 1000, 3000];
const [HIDDEN, EPOCHS, BATCH, SEED] = [256, 10, 128, 1];
const PRECISIONS = [0.1, 1, 10, 30, 100, 300, 1000, 10_000];
const [DECAYED_EPOCHS, DECAYS] = [30, [1, 3, 10, 30, 100, 300]];

/** The same network with the loss NLL + τ/(2N) |θ|², whose minimum is the mode of the posterior with this τ. */
function decaying(tau: number): LayersModel {
  const regularizer = () => regularizers.l2({ l2: tau / (2 * TRAINING) });
  const dense = (units: number, activation: 'relu' | 'softmax', seed: number) => ({
    units,
    activation,
    kernelInitializer: initializers.glorotUniform({ seed }),
    kernelRegularizer: regularizer(),
    biasRegularizer: regularizer(),
  });
  const model = sequential({
    layers: [
      layers.dense({ ...dense(HIDDEN, 'relu', 1), inputShape: [PIXELS] }),
      layers.dense(dense(HIDDEN, 'relu', 2)),
      layers.dense(dense(CLASSES, 'softmax', 3)),
    ],
  });
  model.compile({ optimizer: train.adam(), loss: 'categoricalCrossentropy' });
  return model;
}

/** The mean NLL of digits under the linearised predictive, by default at temperature 1. */
async function lossOf(model: LayersModel, posterior: Posterior, digits: Digits, temperature = 1): Promise<number> {
  const parts = await lastValueFrom(
    from(inputsOf(digits, BATCH)).pipe(predict(model, posterior, linearised({ temperature })), toArray()),
  );
  const rows = parts.flatMap((part) => (part._tag === 'classification' ? part.probabilities : []));
  return orThrow(nll(rows, digits.labels));
}

interface Split {
  readonly training: Digits;
  /** The first of the training images, which are left out one by one. */
  readonly seen: Digits;
  readonly heldOut: Digits;
}

const fitted = (model: LayersModel, { training }: Split): Promise<Posterior> =>
  lastValueFrom(from(batchesOf(training, BATCH)).pipe(observe(model, categorical()), accumulateFactors(kfac()), toPosterior()));

const HEAD = ['τ', 'evidence / N', 'LOO NLL', 'form', 'untrusted', 'LOO NLL, plain', 'leverage', 'training NLL', 'held-out NLL'];

/** One row of a table, and the milliseconds of `leaveOneOut`. */
async function rowOf(model: LayersModel, posterior: Posterior, tau: number, { seen, heldOut }: Split) {
  const under = orThrow(withPrior(posterior, isotropic(tau)));
  const found = (form?: LeaveOneOutForm) => leaveOneOut(model, under, batchesOf(seen, BATCH), form === undefined ? {} : { form });
  const start = performance.now();
  const byDefault = await found();
  const ms = performance.now() - start;
  const plain = byDefault.form === 'plain' ? byDefault : await found('plain');
  const shown = ({ nll: { value, standardError } }: LeaveOneOut): string => `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
  const cells = [
    String(tau),
    (evidence(under).logMarginalLikelihood / TRAINING).toFixed(3),
    shown(byDefault),
    byDefault.form,
    String(byDefault.untrusted),
    shown(plain),
    orThrow(meanWithError(byDefault.leverage)).value.toFixed(2),
    (await lossOf(model, under, seen)).toFixed(3),
    (await lossOf(model, under, heldOut)).toFixed(3),
  ];
  process.stderr.write(`${cells.join('  ')}\n`);
  return { cells, ms };
}

export async function bench(): Promise<BenchResult> {
  const [training, heldOut] = parts(trainingSet(), [TRAINING, HELD_OUT], 100 + SEED) as [Digits, Digits];
  const split = { training, seen: slice(training, 0, LEFT_OUT), heldOut };
  const model = createNetwork(HIDDEN, { seed: SEED });
  await trainOn(model, training, { epochs: EPOCHS, seed: SEED });
  const posterior = await fitted(model, split);
  const one: Array<Awaited<ReturnType<typeof rowOf>>> = [];
  for (const tau of PRECISIONS) one.push(await rowOf(model, posterior, tau, split));
  const [ownSeen, ownHeldOut] = [await lossOf(model, posterior, split.seen, 0), await lossOf(model, posterior, heldOut, 0)];
  model.dispose();
  const decayed: typeof one = [];
  for (const tau of DECAYS) {
    const own = decaying(tau);
    await trainOn(own, training, { epochs: DECAYED_EPOCHS, seed: SEED });
    decayed.push(await rowOf(own, await fitted(own, split), tau, split));
    own.dispose();
  }
  const all = [...one, ...decayed];
  return {
    rows: [{ name: `leaveOneOut on ${LEFT_OUT} images`, ms: all.reduce((sum, { ms }) => sum + ms, 0) / all.length }],
    tables: [
      { title: 'One network, trained without weight decay', head: HEAD, rows: one.map(({ cells }) => cells) },
      { title: 'Networks trained with the weight decay of their own τ', head: HEAD, rows: decayed.map(({ cells }) => cells) },
    ],
    bars: [],
    notes: [
      `784-256-256-10 on ${TRAINING} images; ${LEFT_OUT} of them left out one by one, and ${HELD_OUT} held out.`,
      `The network without weight decay has itself a NLL of ${ownSeen.toFixed(3)} on the ${LEFT_OUT} training images, and ${ownHeldOut.toFixed(3)} on the held-out ones.`,
      'The evidence is in nats for each of the training images. "untrusted" counts the images whose corrected form cannot be trusted.',
    ],
  };
}
