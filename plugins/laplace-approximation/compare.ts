/**
 * Compares predictions with a posterior with the trained network's own, on some of its training examples, or on validation examples if the
 * posterior was tuned on them. It says how far above the network's NLL that of the posterior may be.
 *
 * - Numbers and counts: ½ log 2 = 0.35 nats a label. For a linear-Gaussian model the variance of the mean at a training example is
 *   at most the noise variance σ², whatever the prior. The NLL is then at most ½ log 2 above that of the fitted mean.
 * - Classes and yes-or-no labels: 0.15 nats a label. On networks for small digits with 300 to 5000 examples, the best prior precision
 *   of a grid was 0.01 to 0.10 nats above the network, and the default precision 0.20 to 0.37, where it predicted test digits worse
 *   than the network (`npm run bench -- precision` is one of them).
 *
 * Cost: one linearised prediction of n examples, ten sampled networks on at most 64 of them, and two forward passes. n is a tenth of the
 * data, but at least 64 and at most 256. For 784-1200-1200-10 and 6000 examples this is a tenth of the time of the pass and its
 * decompositions; n grows no further.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  activationSampling,
  inputBatches,
  linearised,
  type OutputPrediction,
  orThrow,
  type Posterior,
  type Predictive,
  predict,
} from 'tfjs-laplace';
import { type Network, ownBatch } from 'tfjs-laplace/extend';
import { joinPredictions } from './join.js';
import { countOf, nllOf, type Truth } from './nll.js';
import type { Data } from './options.js';
import { isCustom, type Judged, ownPredictions } from './own.js';

/** How far above the network's own NLL the posterior's may be, in nats a label. */
export const ALLOWED = { classes: 0.15, labels: 0.15, numbers: 0.5 * Math.log(2), counts: 0.5 * Math.log(2) } as const;

/** How many samples the comparison draws. */
export const SAMPLES = 10;
const SAMPLED_EXAMPLES = 64;
const MOST_EXAMPLES = 256;

/** Mean NLLs in nats an example: sums over its outputs, steps and labels. */
export interface Comparison {
  readonly examples: number;
  readonly network: number;
  readonly posterior: number;
  /** The largest difference of the two that is not worth a word. */
  readonly allowed: number;
}

/** The linearised predictive and averages over samples, each against the network. */
export interface Comparisons {
  readonly linearised: Comparison;
  readonly sampled: Comparison;
}

/** What the comparison is about. */
export interface Compared {
  readonly model: LayersModel;
  readonly network: Network;
  readonly posterior: Posterior;
  /** The training data, or the validation data that the posterior was tuned on. */
  readonly data: Data;
  /** How many of the examples, from the first, were trained on. Default all. */
  readonly trained?: ((examples: number) => number) | undefined;
  readonly batchSize: number;
}

/**
 * Compares on evenly spaced examples. Undefined if no output can be judged: the NLL of a `customLikelihood` is not known from the
 * moments of a prediction. In a model with several outputs such an output is left out. Rejects with the errors of `predict`.
 */
export const compare = (compared: Compared): Promise<Comparisons | undefined> =>
  onExamples(compared, async (on) => ({
    linearised: await on(MOST_EXAMPLES, linearised()),
    sampled: await on(SAMPLED_EXAMPLES, activationSampling({ samples: SAMPLES })),
  }));

/** Compares averages over samples at a temperature, and nothing else: a tuned predictive has been compared by `tune`. */
export const compareSamples = (compared: Compared, temperature: number): Promise<Comparison | undefined> =>
  onExamples(compared, (on) => on(SAMPLED_EXAMPLES, activationSampling({ samples: SAMPLES, temperature })));

/** Compares one predictive on at most so many examples. */
type Compare = (most: number, predictive: Predictive) => Promise<Comparison>;

async function onExamples<A>(compared: Compared, use: (on: Compare) => Promise<A>): Promise<A | undefined> {
  const { network, data, trained = (examples) => examples } = compared;
  if (network.heads.every(isCustom)) return undefined;
  const own = orThrow(ownBatch(network, data.x, data.y));
  try {
    const N = trained(own.x[0]?.shape[0] as number);
    const n = Math.min(N, Math.max(64, Math.ceil(N / 10)));
    return await use((most, predictive) => comparedOn(compared, own, spaced(Math.min(n, most), N), predictive));
  } finally {
    tf.dispose([own.x, own.y]);
  }
}

/** Tensors of inputs and labels, in the model's order. */
interface Batch {
  readonly x: ReadonlyArray<tf.Tensor>;
  readonly y: ReadonlyArray<tf.Tensor>;
}

/** n evenly spaced indices below N. */
const spaced = (n: number, N: number): Int32Array => Int32Array.from({ length: n }, (_, i) => Math.floor((i * N) / n));

/** Compares one predictive on the examples of these indices. */
async function comparedOn(
  { model, network, posterior, batchSize }: Compared,
  own: Batch,
  indices: Int32Array,
  predictive: Predictive,
): Promise<Comparison> {
  const pick = (tensors: ReadonlyArray<tf.Tensor>): tf.Tensor[] => tensors.map((t) => tf.tidy(() => tf.gather(t, indices)));
  const [x, y] = [pick(own.x), pick(own.y)];
  try {
    const judged = await ownPredictions(network, x, y);
    const parts = from(inputBatches(x, batchSize)).pipe(predict(model, posterior, predictive), toArray());
    const joined = joinPredictions(await lastValueFrom(parts));
    const ofOutput = (name: string) => (joined._tag === 'several' ? joined.outputs[name] : joined) as OutputPrediction;
    const mean = (of: (one: Judged) => number): number => judged.reduce((sum, one) => sum + of(one), 0) / indices.length;
    return {
      examples: indices.length,
      network: mean(({ own: moments, truth }) => nllOf(moments, truth)),
      posterior: mean(({ name, truth }) => nllOf(ofOutput(name), truth)),
      allowed: mean(({ truth }) => allowedFor(truth)),
    };
  } finally {
    tf.dispose([x, y]);
  }
}

const allowedFor = (truth: Truth): number => ALLOWED[truth.predicts] * countOf(truth);
