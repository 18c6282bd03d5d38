/** What lies below every covered layer runs once, and what is above begins there: the same values by fewer operations. */
import * as tf from '@tensorflow/tfjs';
import { categorical } from 'tfjs-laplace';
import { features, forward, forwardFrom, mapRule } from '../../src/network/forward.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import type { LinearOp } from '../../src/network/ops.js';
import { right } from '../support/math/laplace.js';
import { chain, dense, functional, inputsFor, on } from '../support/math/networks.js';
import { ZOO, zooInputs } from '../support/zoo.js';

const covering = (model: tf.LayersModel, layers: 'all' | 'last' | string[]): Network =>
  right(withBlocks(right(readNetwork(model, categorical())), layers));

/** A rule that is not the MAP's: layers that it doubles. */
const doubled =
  (network: Network, seen: LinearOp[] = []) =>
  (op: LinearOp, x: tf.Tensor): tf.Tensor => {
    seen.push(op);
    const z = mapRule(op, x);
    return network.blocks.some((block) => block.ops.includes(op)) ? tf.mul(z, 2) : z;
  };

describe.each(ZOO)('$name', (zoo) => {
  it.each(['all', 'last'] as const)('gives the same outputs from the features on; layers: %s', (layers) => {
    const model = zoo.build();
    const network = covering(model, layers);
    const x = zooInputs(zoo, model, 3, 5);
    const [whole, split] = tf.tidy(() => [
      forward(network, x, doubled(network)).outputs.arraySync(),
      forwardFrom(network, features(network, x), doubled(network)).outputs.arraySync(),
    ]);
    expect(split).toEqual(whole);
  });
});

it('runs the layers below once, and keeps only what is read above', () => {
  const network = covering(chain([4, 4, 4, 2]), 'last');
  const x = inputsFor(network.model, 3, 5);
  const own = features(network, x);
  const seen: LinearOp[] = [];
  for (let s = 0; s < 3; s++) forwardFrom(network, own, doubled(network, seen));
  expect(seen.map(({ layer }) => layer)).toEqual(new Array(3).fill(network.blocks[0]?.layer));
  expect(own.values.size).toBe(1);
});

it('keeps the inputs where a covered layer reads them, and paths around the covered layers', () => {
  const below = dense(3, { activation: 'tanh' });
  const covered = dense(3);
  const model = functional([3], (x) => on(dense(2), on(tf.layers.add(), on(below, x), on(covered, x))));
  const network = covering(model, [covered.name]);
  const x = inputsFor(model, 2, 5);
  const own = features(network, x);
  // The inputs, and the values of the layer beside.
  expect(own.values.size).toBe(2);
  const seen: LinearOp[] = [];
  const { outputs } = forwardFrom(network, own, doubled(network, seen));
  expect(seen).toHaveLength(2);
  expect(outputs.arraySync()).toEqual(forward(network, x, doubled(network)).outputs.arraySync());
});

it('an output that no covered layer reaches is among the features', () => {
  const [a, b] = [dense(2), dense(2)];
  const input = tf.input({ shape: [3] });
  const model = tf.model({ inputs: input, outputs: [on(a, input), on(b, input)] });
  const likelihood = {
    _tag: 'perOutput',
    outputs: Object.fromEntries(model.outputNames.map((n) => [n, categorical()])),
  } as never;
  const network = right(withBlocks(right(readNetwork(model, likelihood)), [a.name]));
  const x = inputsFor(model, 2, 5);
  const seen: LinearOp[] = [];
  const { outputs } = forwardFrom(network, features(network, x), doubled(network, seen));
  expect(seen).toHaveLength(1);
  expect(outputs.arraySync()).toEqual(forward(network, x, doubled(network)).outputs.arraySync());
});
