/** Every structure of curvature on layers of every kind, against Jacobians of the model as tfjs runs it. */

import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  type Factors,
  full,
  kfac,
  moments,
  outputDistribution,
  type Posterior,
  type PosteriorLayer,
  variances,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import type { Network } from '../../src/network/network.js';
import { distance, matricesOf } from '../support/factors.js';
import { gaussNewton } from '../support/math/curvature64.js';
import { combination, identity, inverse, product, type Rows, transposed } from '../support/math/dense64.js';
import { factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { hessian } from '../support/math/likelihoods64.js';
import { covarianceOf } from '../support/math/posteriors64.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { blockJacobians, ZOO, type ZooCase, zooInputs } from '../support/zoo.js';

withWasmKernels();

/** Float32 forward and backward passes through three or four layers, on both sides of the comparison. */
const FLOAT32 = 2e-5;
const N = 5;
const TAU = 3;
const LIKELIHOOD = categorical();

interface Subject {
  readonly network: Network;
  readonly x: tf.Tensor[];
  readonly y: tf.Tensor;
  /** Λ of every example. */
  readonly hessians: number[][][];
  readonly jacobians: number[][][][];
}

const subjects = new Map<string, Subject>();

function subject(zoo: ZooCase): Subject {
  const known = subjects.get(zoo.name);
  if (known !== undefined) return known;
  const model = zoo.build();
  const network = right(withBlocks(right(readNetwork(model, LIKELIHOOD)), 'all'));
  const x = zooInputs(zoo, model, N, 8);
  const y = tf.tidy(() => tf.oneHot(tf.range(0, N).mod(network.outputs).toInt(), network.outputs).toFloat());
  const outputs = (model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor2D).arraySync();
  const made = { network, x, y, hessians: outputs.map((f) => hessian(LIKELIHOOD, f)), jacobians: blockJacobians(network, x) };
  subjects.set(zoo.name, made);
  return made;
}

const factorsBy = (zoo: ZooCase, curvature: Curvature): Promise<Factors> => {
  const { network, x, y } = subject(zoo);
  return factorsOf(network.model, LIKELIHOOD, { x, y }, curvature, 2);
};

const joined = (jacobians: ReadonlyArray<ReadonlyArray<Rows>>): Rows[] =>
  Array.from({ length: N }, (_, b) =>
    ((jacobians[0] as ReadonlyArray<Rows>)[b] as Rows).map((_, c) =>
      jacobians.flatMap((block) => (block[b] as Rows)[c] as number[]),
    ),
  );

describe.each(ZOO)('$name', (zoo) => {
  afterAll(() => {
    const { network, x, y } = subject(zoo);
    network.model.dispose();
    tf.dispose([...x, y]);
    subjects.delete(zoo.name);
  });

  it('full is Jᵀ Λ J over all weights', async () => {
    const { jacobians, hessians } = subject(zoo);
    const [found] = right(moments(await factorsBy(zoo, full())));
    expect(distance(matricesOf(found).gradient?.data ?? [], gaussNewton(joined(jacobians), hessians).flat())).toBeLessThan(
      FLOAT32,
    );
  });

  it('diagonal is the diagonal of each block', async () => {
    const { jacobians, hessians } = subject(zoo);
    right(moments(await factorsBy(zoo, diagonal()))).forEach((found, i) => {
      const block = gaussNewton(jacobians[i] as Rows[], hessians);
      expect(
        distance(
          matricesOf(found).squares?.data ?? [],
          block.map((row, k) => row[k] as number),
        ),
      ).toBeLessThan(FLOAT32);
    });
  });

  it('ekfac has the second moments of the gradients along its eigenvectors, and is no further from the block than kfac', async () => {
    const { jacobians, hessians } = subject(zoo);
    const distances: Array<readonly [number, number]> = [];
    const posteriors: Posterior[] = [];
    for (const curvature of [ekfac(), kfac()]) {
      posteriors.push(await posteriorFrom(await factorsBy(zoo, curvature), { priorPrecision: TAU }));
    }
    const [corrected, plain] = posteriors as [Posterior, Posterior];
    corrected.layers.forEach((layer, i) => {
      const block = gaussNewton(jacobians[i] as Rows[], hessians);
      const S2 = right(variances(corrected, layer)).data;
      const { groups: P, n, m } = layer;
      const size = n * m;
      // (U_A ⊗ U_G)ᵀ F (U_A ⊗ U_G) has the moments on its diagonal.
      const precision = S2.map((v) => (1 / v - TAU) / N);
      const traces = Array.from({ length: P }, (_, p) => precision.slice(p * size, (p + 1) * size).reduce((a, b) => a + b, 0));
      const expected = Array.from({ length: P }, (_, p) =>
        block.slice(p * size, (p + 1) * size).reduce((sum, row, k) => sum + (row[p * size + k] as number), 0),
      );
      expect(distance(traces, expected)).toBeLessThan(FLOAT32);
      const far = (posterior: Posterior, own: PosteriorLayer): number => {
        const curvature = inverse(covarianceOf(posterior, posterior.layers.indexOf(own)));
        const difference = combination([1, block], [-1 / N, curvature], [TAU / N, identity(block.length)]);
        return Math.sqrt(difference.flat().reduce((sum, v) => sum + v * v, 0));
      };
      if (layer.structure === 'eigen') distances.push([far(corrected, layer), far(plain, plain.layers[i] as PosteriorLayer)]);
    });
    for (const [own, kronecker] of distances) expect(own).toBeLessThanOrEqual(kronecker * (1 + 1e-6));
  });

  it.each([
    ['kfac', kfac()],
    ['kfac, reduce', kfac({ weightSharing: 'reduce' })],
    ['ekfac', ekfac()],
    ['diagonal', diagonal()],
    ['full', full()],
  ] as const)('%s: the linearised covariance is J C Jᵀ', async (_, curvature) => {
    const { network, jacobians, x } = subject(zoo);
    const posterior = await posteriorFrom(await factorsBy(zoo, curvature), { priorPrecision: TAU });
    const own = curvature._tag === 'full' ? [joined(jacobians)] : jacobians;
    const found = await outputDistribution(network.model, posterior, x.length === 1 ? (x[0] as tf.Tensor) : x);
    const expected = posterior.layers.map((_layer, i) => {
      const C = covarianceOf(posterior, i);
      return (own[i] as Rows[]).map((J) => product(J, C, transposed(J)).flat());
    });
    const sums = Array.from({ length: N }, (_, b) =>
      ((expected[0] as number[][])[b] as number[]).map((_, k) =>
        expected.reduce((sum, layer) => sum + ((layer[b] as number[])[k] as number), 0),
      ),
    );
    expect(
      distance(
        found.covariance.flatMap((row) => Array.from(row)),
        sums.flat(),
      ),
    ).toBeLessThan(10 * FLOAT32);
  });
});
