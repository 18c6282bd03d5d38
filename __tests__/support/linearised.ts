/** Small networks with posteriors of every structure, and the Jacobians of whole batches: what linearised outputs are checked against. */
import * as tf from '@tensorflow/tfjs';
import { type Curvature, categorical, diagonal, ekfac, full, kfac, type Posterior, type ToPosteriorOptions } from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import type { Network } from '../../src/network/network.js';
import type { Rows } from './math/dense64.js';
import { factorsOf, posteriorFrom, right } from './math/laplace.js';
import { dense, withWeights } from './math/networks.js';
import { memoised } from './memoised.js';
import { blockJacobians, type ZooCase, zooInputs } from './zoo.js';

const LIKELIHOOD = categorical();

/** Every structure of curvature. */
export const CURVATURES = [
  ['kfac', kfac()],
  ['ekfac', ekfac()],
  ['diagonal', diagonal()],
  ['full', full()],
] as const;

const L = tf.layers;

const recurrent = (name: string, layer: () => tf.layers.Layer): ZooCase => ({
  name,
  build: () => withWeights(tf.sequential({ layers: [layer(), dense(2)] }), 4),
});

/** Layers of two blocks whose positions are the steps. */
export const RECURRENT: ReadonlyArray<ZooCase> = [
  recurrent('a recurrent layer', () => L.lstm({ units: 2, inputShape: [3, 2] })),
  recurrent('a bidirectional layer', () =>
    L.bidirectional({ layer: L.gru({ units: 2 }) as never, mergeMode: 'concat', inputShape: [3, 2] }),
  ),
];

/** Tokens of few kinds in a large vocabulary, repeated within examples and across them. */
export const FEW_TOKENS: ZooCase = {
  name: 'fewer tokens than the vocabulary has',
  build: () =>
    withWeights(
      tf.sequential({
        layers: [
          L.embedding({ inputDim: 50, outputDim: 2, inputLength: 4 }),
          L.flatten(),
          dense(3, { activation: 'tanh' }),
          dense(2),
        ],
      }),
      5,
    ),
  tokens: 6,
};

/** The classifier of a case. Its weights never change, so that all tests of a file share it. */
const networkOf = memoised((zoo: ZooCase): Network => right(withBlocks(right(readNetwork(zoo.build(), LIKELIHOOD)), 'all')));

/** Jacobians of a case at the inputs of that seed. They take one backward pass for each output of each example. */
const jacobiansAt = memoised((zoo: ZooCase) =>
  memoised((B: number) => memoised((seed: number) => blockJacobians(networkOf(zoo), inputsAt(zoo, B, seed)))),
);

const inputsAt = (zoo: ZooCase, B: number, seed: number): tf.Tensor[] => zooInputs(zoo, networkOf(zoo).model, B, seed);

/** A classifier and a posterior of all its layers from N examples. */
export interface Linearised {
  readonly network: Network;
  readonly posterior: Posterior;
  /** J [B·C, weights] of each layer of the posterior at `inputs(B, seed)`, as `jacobiansOf` has it. */
  readonly jacobians: (B: number, seed: number) => Rows[];
  /** Inputs that it has not seen. */
  readonly inputs: (B: number, seed: number) => tf.Tensor[];
}

export async function linearisedCase(
  zoo: ZooCase,
  curvature: Curvature = kfac(),
  options: ToPosteriorOptions = { priorPrecision: 3 },
): Promise<Linearised> {
  const network = networkOf(zoo);
  const { model } = network;
  const N = 5;
  const x = inputsAt(zoo, N, 8);
  const y = tf.tidy(() => tf.oneHot(tf.range(0, N).mod(network.outputs).toInt(), network.outputs).toFloat());
  const posterior = await posteriorFrom(await factorsOf(model, LIKELIHOOD, { x, y }, curvature), options);
  return {
    network,
    posterior,
    jacobians: (B, seed) => rowsFor(posterior, jacobiansAt(zoo)(B)(seed)),
    inputs: (B, seed) => inputsAt(zoo, B, seed),
  };
}

/** Inputs as a user gives them. */
export const one = (x: tf.Tensor[]): tf.Tensor | tf.Tensor[] => (x.length === 1 ? (x[0] as tf.Tensor) : x);

/** J [B·C, weights] of each layer of a posterior, row b·C + c, by tf.variableGrads through the model as tfjs runs it. */
export const jacobiansOf = (network: Network, posterior: Posterior, x: tf.Tensor[]): Rows[] =>
  rowsFor(posterior, blockJacobians(network, x));

/** Jacobians [block][example][output] as rows b·C + c of each layer of a posterior: `full` has one layer, of all blocks. */
function rowsFor(posterior: Posterior, jacobians: number[][][][]): Rows[] {
  const blocks = jacobians.map((examples) => examples.flat());
  const rows = blocks[0] as number[][];
  return posterior.layers[0]?.structure !== 'full' ? blocks : [rows.map((_, r) => blocks.flatMap((b) => b[r] as number[]))];
}
