/** Reading models of several outputs: what is cut, what is refused, and which layers are the last. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import {
  bernoulli,
  categorical,
  customLikelihood,
  gaussian,
  kfra,
  type Likelihood,
  perOutput,
  perStep,
  poisson,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { prepare } from '../../src/curvature/estimator.js';
import { forward } from '../../src/network/forward.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { right } from '../support/math/laplace.js';
import { dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const activation = (name: string, form: 'softmax' | 'sigmoid') => tf.layers.activation({ activation: form, name });
const failure = (model: tf.LayersModel, likelihood: Likelihood) => {
  const read = readNetwork(model, likelihood);
  return E.isLeft(read) ? read.left : undefined;
};

it('f has all outputs side by side, each before its own link', () => {
  const { model, side } = twoHeads();
  const network = right(readNetwork(model, BOTH));
  expect(network.heads.map(({ name, first, outputs, link }) => [name, first, outputs, link])).toEqual([
    ['digit', 0, 3, 'softmax'],
    ['angle', 3, 2, undefined],
  ]);
  const { x } = headData(model, 4);
  expect(relativeError(forward(network, x).outputs, side.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
});

it('a link that another output reads on from stays in the network, and is cut from its own', () => {
  const model = withWeights(
    functional([3], (x) => {
      const p = on(activation('p', 'sigmoid'), on(dense(2, { name: 'z' }), x));
      return [p, on(dense(1, { name: 'y' }), p)];
    }),
    3,
  );
  const network = right(readNetwork(model, perOutput({ p: bernoulli(), y: gaussian() })));
  const x = inputsFor(model, 4, 1);
  const [p, y] = model.predict(x) as [tf.Tensor, tf.Tensor];
  const f = forward(network, x).outputs;
  expect(relativeError(tf.sigmoid(f.slice([0, 0], [4, 2])), p)).toBeLessThan(FLOAT32);
  expect(relativeError(f.slice([0, 2], [4, 1]), y)).toBeLessThan(FLOAT32);
});

it('steps of a sequence beside an output of one number', () => {
  const model = withWeights(
    functional([4, 2], (x) => [
      on(dense(3, { name: 'steps', activation: 'softmax' }), x),
      on(dense(1, { name: 'y' }), on(tf.layers.globalAveragePooling1d({}), x)),
    ]),
    3,
  );
  const network = right(readNetwork(model, perOutput({ y: gaussian(), steps: perStep(categorical()) })));
  expect([network.outputs, network.heads[0]?.row.outputs]).toEqual([13, 3]);
  const x = inputsFor(model, 2, 1);
  const [steps, y] = model.predict(x) as [tf.Tensor, tf.Tensor];
  const f = forward(network, x).outputs;
  expect(relativeError(tf.softmax(f.slice([0, 0], [2, 12]).reshape([2, 4, 3])), steps)).toBeLessThan(FLOAT32);
  expect(relativeError(f.slice([0, 12], [2, 1]), y)).toBeLessThan(FLOAT32);
});

it("keeps the likelihoods in the model's order, so that factors of either spelling merge", () => {
  const { model } = twoHeads();
  const { digit, angle } = BOTH.outputs;
  const [a, b] = [BOTH, perOutput({ angle, digit })].map((l) => right(readNetwork(model, l)).likelihood);
  expect(JSON.stringify(b)).toBe(JSON.stringify(a));
});

it("the last layers are the last of every output, as in each output's own model", () => {
  const { model, digit, angle } = twoHeads();
  const last = (own: tf.LayersModel, likelihood: Likelihood): string[] =>
    right(withBlocks(right(readNetwork(own, likelihood)), 'last')).blocks.map(({ name }) => name);
  expect(last(model, BOTH)).toEqual(['logits', 'angle']);
  expect([...last(digit, categorical()), ...last(angle, gaussian())]).toEqual(['logits', 'angle']);
});

describe('refuses', () => {
  it('one likelihood for several outputs, and says how to name one for each', () => {
    expect(failure(twoHeads().model, categorical())).toMatchObject({
      kind: 'InvalidModel',
      field: 'likelihood',
      found: 'one likelihood for digit, angle',
      remedy: expect.stringContaining("perOutput({ 'digit': …, 'angle': … })"),
    });
  });

  it.each<[string, Likelihood, string]>([
    ['a name that the model lacks', perOutput({ digit: categorical(), angel: gaussian() }), 'digit, angel'],
    ['an output without a likelihood', perOutput({ digit: categorical() }), 'digit'],
    ['a likelihood for nothing', perOutput({ digit: categorical(), angle: gaussian(), more: poisson() }), 'digit, angle, more'],
    ['the name of a property of every object', perOutput({ digit: categorical(), toString: gaussian() }), 'digit, toString'],
  ])('%s', (_, likelihood, found) => {
    expect(failure(twoHeads().model, likelihood)).toMatchObject({ kind: 'InvalidModel', found, expected: 'digit, angle' });
  });

  it('an output that has the name of a property of every object, and no likelihood', () => {
    const model = functional([3], (x) => [on(dense(2, { name: 'toString' }), x), on(dense(2, { name: 'b' }), x)]);
    expect(failure(model, perOutput({ a: gaussian(), b: gaussian() }))).toMatchObject({ kind: 'InvalidModel', found: 'a, b' });
    expect(failure(model, perOutput({ toString: gaussian(), b: gaussian() }))).toBeUndefined();
  });

  it('an output that does not suit its likelihood, by name', () => {
    const { model } = twoHeads();
    expect(failure(model, perOutput({ digit: bernoulli(), angle: gaussian() }))).toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(/last activation of output 'digit' of model .* contradicts the bernoulli likelihood/),
    });
    expect(failure(model, perOutput({ digit: categorical(), angle: gaussian({ noiseVariance: [1, 2, 3] }) }))).toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(/output 'angle' of model .* does not suit the gaussian likelihood.*\[B, 2\]/),
    });
  });

  it('outputs that share a name', () => {
    const shared = dense(2, { name: 'head' });
    const model = functional([3], (x) => [on(shared, x), on(shared, on(dense(3), x))]);
    expect(failure(model, perOutput({ head: gaussian() }))).toMatchObject({
      kind: 'InvalidModel',
      found: 'head, head',
      remedy: expect.stringContaining('activation'),
    });
  });

  it('more than one likelihood whose labels have a width that nobody knows', () => {
    const own = customLikelihood({
      name: 'own',
      nll: (f) => tf.sum(f, 1) as tf.Tensor1D,
      hessianRoot: (f) => tf.expandDims(f, 0) as tf.Tensor3D,
    });
    const model = functional([3], (x) => [on(dense(2, { name: 'a' }), x), on(dense(2, { name: 'b' }), x)]);
    expect(failure(model, perOutput({ a: own, b: own }))).toMatchObject({ kind: 'InvalidModel', found: 'own for a, own for b' });
    expect(failure(model, perOutput({ a: own, b: gaussian() }))).toBeUndefined();
  });

  it('kfra, which goes through a chain', () => {
    const prepared = prepare(right(readNetwork(twoHeads().model, BOTH)), kfra());
    expect(prepared).toMatchObject({ left: { kind: 'UnsupportedLayer', found: 'a branch for each output' } });
  });
});
