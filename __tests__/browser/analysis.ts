/**
 * What a page does with the library, from training to sampled networks, on whatever backend is in use: run in a browser from the
 * built package, and in Node from the sources. Nothing in it depends on `Math.random`.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  type Classification,
  categorical,
  evidence,
  finalEpochs,
  kfac,
  linearised,
  observe,
  type Posterior,
  type Predictive,
  predict,
  sampleModels,
  toPosterior,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';

/** What comes out, as JSON holds it. */
export interface Analysis {
  readonly backend: string;
  /** The trained weights, one list a tensor. */
  readonly weights: ReadonlyArray<ReadonlyArray<number>>;
  readonly logMarginalLikelihood: number;
  readonly linearised: Answer;
  readonly sampled: Answer;
  /** Kernel and bias of every layer of every sampled network, in one list each. */
  readonly members: ReadonlyArray<ReadonlyArray<number>>;
  /** Tensors that are left when everything of the user's own is disposed. */
  readonly tensorsLeft: number;
}

/** A classification, in the order in which it is compared. */
interface Answer {
  readonly probabilities: ReadonlyArray<number>;
  readonly entropy: ReadonlyArray<number>;
  readonly mutualInformation: ReadonlyArray<number>;
}

const EXAMPLES = 96;
const INPUTS = 6;
const CLASSES = 3;

/** Numbers in [−1, 1) without a pattern that matters, of one generator everywhere (Park & Miller 1988). */
function numbers(size: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (state * 48271) % 2147483647;
    return Math.fround((2 * state) / 2147483647 - 1);
  });
}

/** Points of three classes, each around a corner of its own; the last input is always 0, as margins of pictures are. */
export function data(): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const noise = numbers(EXAMPLES * INPUTS, 1);
  const x = noise.map((v, i) => (i % INPUTS === INPUTS - 1 ? 0 : v + (Math.floor(i / INPUTS) % CLASSES === i % INPUTS ? 1 : 0)));
  const y = Float32Array.from({ length: EXAMPLES * CLASSES }, (_, i) =>
    Math.floor(i / CLASSES) % CLASSES === i % CLASSES ? 1 : 0,
  );
  return { x: tf.tensor2d(x, [EXAMPLES, INPUTS]), y: tf.tensor2d(y, [EXAMPLES, CLASSES]) };
}

/** A small classifier with weights that are the same everywhere. */
export function network(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 16, activation: 'relu', inputShape: [INPUTS], name: 'hidden' }),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', name: 'outputs' }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.3), loss: 'categoricalCrossentropy' });
  tf.tidy(() =>
    model.setWeights(
      model.getWeights().map((w, i) =>
        tf.tensor(
          numbers(w.size, 10 + i).map((v) => v / 2),
          w.shape,
        ),
      ),
    ),
  );
  return model;
}

/** A posterior of a network that is not trained any further: one pass over the data. */
export const posteriorOf = (model: tf.LayersModel, xy: ReturnType<typeof data>): Promise<Posterior> =>
  lastValueFrom(
    from(batches(xy, 16)).pipe(
      observe(model, categorical()),
      accumulateFactors(kfac({ fisher: 'exact' })),
      toPosterior({ priorPrecision: 5 }),
    ),
  );

/** Trains with the callback, builds the posterior, predicts in two ways, and samples networks. */
export async function analysis(): Promise<Analysis> {
  const before = tf.memory().numTensors;
  const { x, y } = data();
  const model = network();
  const curvature = laplaceCallback({
    likelihood: categorical(),
    curvature: kfac({ fisher: 'empirical' }),
    epochs: finalEpochs(1),
  });
  await model.fit(x, y, { epochs: 4, batchSize: 16, shuffle: false, verbose: 0, callbacks: curvature });
  const posterior = await lastValueFrom(curvature.factors$.pipe(toPosterior({ priorPrecision: 5 })));
  const answer = async (predictive: Predictive): Promise<Answer> => {
    const { probabilities, entropy, mutualInformation } = (await lastValueFrom(
      of(x).pipe(predict(model, posterior, predictive)),
    )) as Classification;
    return {
      probabilities: probabilities.flatMap((row) => [...row]),
      entropy: [...entropy],
      mutualInformation: [...mutualInformation],
    };
  };
  const inTwoWays = [await answer(linearised()), await answer(activationSampling({ samples: 20, seed: 3 }))] as const;
  const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 3, seed: 7 }), toArray()));
  const result = {
    backend: tf.getBackend(),
    weights: await weightsOf(model),
    logMarginalLikelihood: evidence(posterior).logMarginalLikelihood,
    linearised: inTwoWays[0],
    sampled: inTwoWays[1],
    members: (await Promise.all(members.map(weightsOf))).map((tensors) => tensors.flat()),
  };
  for (const member of members) member.dispose();
  model.optimizer.dispose();
  model.dispose();
  tf.dispose([x, y]);
  return { ...result, tensorsLeft: tf.memory().numTensors - before };
}

const weightsOf = async (model: tf.LayersModel): Promise<number[][]> =>
  Promise.all(model.getWeights().map(async (w) => [...(await w.data())]));
