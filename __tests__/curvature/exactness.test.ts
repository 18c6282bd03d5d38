/**
 * The regimes in which a Kronecker product is no approximation: the block N (A ⊗ G) is the sum of Jᵀ Λ J over examples, by brute-force
 * Jacobians. Beside each regime a neighbour that leaves it by one step, where the two are apart.
 *
 *   one example without shared weights                     Martens & Grosse 2015: an outer product of a and g is one
 *   a deep linear network, Gaussian noise                  g of every column is the same for all examples
 *   the same ending in a mean over positions, `reduce`     Eschenhagen et al. 2023, the reduce setting
 *   the same with a loss at every position, `expand`       Eschenhagen et al. 2023, the expand setting
 */
import * as tf from '@tensorflow/tfjs';
import { kfac, type LayerMoments, type Likelihood, moments } from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import type { Network } from '../../src/network/network.js';
import { kronecker } from '../support/kronecker.js';
import { gaussNewton } from '../support/math/curvature64.js';
import { identity, kron, type Rows } from '../support/math/dense64.js';
import { factorsOf, right } from '../support/math/laplace.js';
import { hessian } from '../support/math/likelihoods64.js';
import { inputsFor } from '../support/math/networks.js';
import { inRows, relativeError } from '../support/math/numbers.js';
import { REGIMES, type Regime } from '../support/math/regimes.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { blockJacobians } from '../support/zoo.js';

withWasmKernels();

/** Float32 forward and backward passes through up to four layers, on both sides of the comparison. */
const FLOAT32 = 2e-5;
/** A block that isn't exact is off by a share that has nothing to do with rounding. */
const APART = 0.02;

/** Outputs of one step, for a likelihood of every step; all of them for others. */
const stepOutputsOf = ({ heads, outputs }: Network): number => heads[0]?.row.outputs ?? outputs;

/** Inputs, and labels of any value that the likelihood takes: Λ of these likelihoods doesn't ask for them. */
function dataFor({ tokens, likelihood, examples }: Regime, network: Network): { x: tf.Tensor[]; y: tf.Tensor } {
  const drawn = inputsFor(network.model, examples, 8);
  const x = tokens === undefined ? drawn : drawn.map((t) => tf.mod(tf.floor(tf.mul(tf.abs(t), 5)), tokens));
  const { outputs } = network;
  const stepOutputs = stepOutputsOf(network);
  if (likelihood._tag === 'perStep') return { x, y: tf.zeros([examples, outputs / stepOutputs, stepOutputs]) };
  if (likelihood._tag === 'categorical') return { x, y: tf.zeros([examples]) };
  return { x, y: tf.zeros([examples, likelihood._tag === 'heteroscedastic' ? outputs / 2 : outputs]) };
}

/** Λ of one example, that of a sequence block by block. */
function curvatureAt(likelihood: Likelihood, f: number[], C: number): number[][] {
  if (likelihood._tag !== 'perStep') return hessian(likelihood, f);
  return kron(identity(f.length / C), hessian(likelihood.each, f.slice(0, C)));
}

/** A ⊗ G of each group; the input factor of an embedding is a diagonal. */
function products(layer: ReturnType<typeof kronecker<LayerMoments>>): number[][][] {
  const { groups: P, n, m } = layer.layout;
  const side = ({ cols, data }: typeof layer.input, p: number, d: number): number[][] =>
    cols === d
      ? inRows(data.subarray(p * d * d, (p + 1) * d * d), d)
      : identity(d).map((row, i) => row.map((v) => v * (data[i] as number)));
  return Array.from({ length: P }, (_, p) => kron(side(layer.input, p, n), side(layer.gradient, p, m)));
}

/** Rows and columns of one group in the block of all groups. */
const within = (block: Rows, p: number, size: number): number[][] =>
  block.slice(p * size, (p + 1) * size).map((row) => row.slice(p * size, (p + 1) * size));

it.each(REGIMES)('$name', async (regime) => {
  const { likelihood, build, weightSharing = 'expand', off = [] } = regime;
  const network = right(withBlocks(right(readNetwork(build(), likelihood)), 'all'));
  const { x, y } = dataFor(regime, network);
  const found = right(moments(await factorsOf(network.model, likelihood, { x, y }, kfac({ weightSharing }))));
  const outputs = tf.tidy(() => {
    const f = network.model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor;
    return tf.reshape(f, [regime.examples, network.outputs]).arraySync() as number[][];
  });
  const hessians = outputs.map((f) => curvatureAt(likelihood, f, stepOutputsOf(network)));
  const jacobians = blockJacobians(network, x);
  found
    .map((own) => kronecker(own))
    .forEach((layer, i) => {
      const { n, m } = layer.layout;
      const block = gaussNewton(jacobians[i] as Rows[], hessians);
      products(layer).forEach((kron, p) => {
        const error = relativeError(kron, within(block, p, n * m));
        if (off.includes(i)) expect(error).toBeGreaterThan(APART);
        else expect(error).toBeLessThan(FLOAT32);
      });
    });
  expect(found).toHaveLength(network.blocks.length);
  network.model.dispose();
  tf.dispose([...x, y]);
});
