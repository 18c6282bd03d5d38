/**
 * A model with the weights of a posterior that computes something else with them. Its predictions would look like any others: they are
 * refused. What changes no prediction is none of this, and neither is a model that was saved and loaded.
 */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { lastValueFrom, of } from 'rxjs';
import {
  decodePosterior,
  encodePosterior,
  gaussian,
  kfac,
  type Likelihood,
  merge,
  outputDistribution,
  type Posterior,
  predict,
  sampleModels,
  tune,
} from 'tfjs-laplace';
import { architectureOf } from '../../src/network/architecture.js';
import { readNetwork } from '../../src/network/network.js';
import { expectRejection } from '../support/errors.js';
import { factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { DENSE_NETWORKS, dense, inputsFor, MIXED_NETWORKS, on, withWeights } from '../support/math/networks.js';
import { ZOO } from '../support/zoo.js';

const L = tf.layers;
type Symbolic = tf.SymbolicTensor;

/** A model of 4 inputs; `body` makes the layers. Weights depend on nothing but their order. */
const built = (body: (x: Symbolic) => Symbolic, shape: number[] = [4]): tf.LayersModel => {
  const inputs = tf.input({ shape });
  return withWeights(tf.model({ inputs, outputs: body(inputs) }), 5);
};
const hidden = (options: object = {}) => dense(4, { name: 'hidden', activation: 'tanh', ...options });
const last = (options: object = {}) => dense(2, { name: 'last', ...options });
const image = (options: object = {}) => L.conv2d({ name: 'image', filters: 2, kernelSize: 2, ...options });
const flat = (x: Symbolic) => on(last(), on(L.globalAveragePooling2d({}), x));

type Build = () => tf.LayersModel;
const PLAIN: Build = () => built((x) => on(last(), on(hidden(), x)));
const NORMAL = (options: object) => () =>
  built((x) => on(last(), on(L.batchNormalization({ name: 'normal', ...options }), on(hidden(), x))));
const IMAGE = (options: object) => () => built((x) => flat(on(image(options), x)), [5, 5, 1]);

const OTHERS: ReadonlyArray<[string, Build, Build]> = [
  ['another activation', PLAIN, () => built((x) => on(last(), on(hidden({ activation: 'relu' }), x)))],
  ['no activation', PLAIN, () => built((x) => on(last(), on(hidden({ activation: 'linear' }), x)))],
  ['a layer without weights more', PLAIN, () => built((x) => on(last(), on(L.leakyReLU({ alpha: 0.2 }), on(hidden(), x))))],
  ['a shortcut', PLAIN, () => built((x) => on(last(), on(L.add(), x, on(hidden(), x))))],
  [
    'another merge',
    () => built((x) => on(last(), on(L.add(), x, on(hidden(), x)))),
    () => built((x) => on(last(), on(L.multiply(), x, on(hidden(), x)))),
  ],
  [
    'another order of a concatenation',
    () => built((x) => on(last(), on(L.concatenate(), x, on(hidden(), x)))),
    () => built((x) => on(last(), on(L.concatenate(), on(hidden(), x), x))),
  ],
  [
    'a layer that is used twice',
    PLAIN,
    () =>
      built((x) => {
        const own = hidden();
        return on(last(), on(own, on(own, x)));
      }),
  ],
  [
    'another slope',
    () => built((x) => on(last(), on(L.leakyReLU({ alpha: 0.1 }), on(hidden(), x)))),
    () => built((x) => on(last(), on(L.leakyReLU({ alpha: 0.2 }), on(hidden(), x)))),
  ],
  ['another epsilon', NORMAL({ epsilon: 1e-3 }), NORMAL({ epsilon: 0.5 })],
  ['another padding', IMAGE({}), IMAGE({ padding: 'same' })],
  ['other strides', IMAGE({}), IMAGE({ strides: 2 })],
  ['another activation of a convolution', IMAGE({ activation: 'relu' }), IMAGE({ activation: 'tanh' })],
];

const LIKELIHOOD = gaussian();
const posteriorOf = async (model: tf.LayersModel, likelihood: Likelihood = LIKELIHOOD): Promise<Posterior> =>
  posteriorFrom(
    await factorsOf(model, likelihood, { x: inputsFor(model, 4, 1), y: tf.ones([4, 2]) }, kfac({ layers: ['last'] })),
    {},
  );
const inputOf = (model: tf.LayersModel): tf.Tensor => inputsFor(model, 2, 3)[0] as tf.Tensor;
const predicted = (model: tf.LayersModel, posterior: Posterior, x = inputOf(model)): Promise<unknown> =>
  lastValueFrom(of(x).pipe(predict(model, posterior)));

describe('refuses', () => {
  it.each(OTHERS)('%s', async (_, make, remake) => {
    const posterior = await posteriorOf(make());
    await predicted(make(), posterior);
    const other = remake();
    const x = inputOf(other);
    const before = tf.memory().numTensors;
    const error = await expectRejection(predicted(other, posterior, x), 'Mismatch', { field: 'architecture' });
    expect(error.message).toContain(other.name);
    await expectRejection(lastValueFrom(of(posterior).pipe(sampleModels(other, { samples: 1 }))), 'Mismatch');
    expect(tf.memory().numTensors).toBe(before);
    await expectRejection(outputDistribution(other, posterior, x), 'Mismatch', { field: 'architecture' });
    await expectRejection(tune(other, posterior, [{ x, y: tf.ones([2, 2]) }]), 'Mismatch', { field: 'architecture' });
  });

  it('to merge factors of two architectures', async () => {
    const data = { x: inputsFor(PLAIN(), 4, 1), y: tf.ones([4, 2]) };
    const one = await factorsOf(PLAIN(), LIKELIHOOD, data);
    const other = await factorsOf((OTHERS[0] as [string, Build, Build])[2](), LIKELIHOOD, data);
    expect(merge(one, other)).toMatchObject({ left: { kind: 'Mismatch', field: 'layout.architecture' } });
  });
});

describe('accepts', () => {
  const inner = () => tf.sequential({ layers: [hidden({ inputShape: [4] })] });
  it.each<[string, Build]>([
    ['another name of a layer that is not covered', () => built((x) => on(last(), on(hidden({ name: 'other' }), x)))],
    [
      'dropout, noise and regularisers',
      () =>
        built((x) =>
          on(
            last({ kernelRegularizer: 'l1l2' }),
            on(L.dropout({ rate: 0.5 }), on(L.gaussianNoise({ stddev: 1 }), on(hidden(), x))),
          ),
        ),
    ],
    [
      'a frozen layer and another initialiser',
      () => {
        const layer = hidden({ kernelInitializer: 'zeros' });
        const model = built((x) => on(last(), on(layer, x)));
        layer.trainable = false;
        return model;
      },
    ],
    ['a sequential model', () => withWeights(tf.sequential({ layers: [hidden({ inputShape: [4] }), last()] }), 5)],
    ['a model inside', () => built((x) => on(last(), inner().apply(x) as Symbolic))],
    [
      'the activation as a layer',
      () => built((x) => on(last(), on(L.activation({ activation: 'tanh' }), on(hidden({ activation: 'linear' }), x)))),
    ],
  ])('%s', async (_, make) => {
    await predicted(make(), await posteriorOf(PLAIN()));
  });

  it('the likelihood’s own link, inside or outside', async () => {
    const posterior = await posteriorFrom(
      await factorsOf(PLAIN(), { _tag: 'categorical', labelSmoothing: 0 } as Likelihood, {
        x: inputsFor(PLAIN(), 2, 1),
        y: tf.eye(2),
      }),
      {},
    );
    await predicted(
      built((x) => on(last({ activation: 'softmax' }), on(hidden(), x))),
      posterior,
    );
    await predicted(
      built((x) => on(L.softmax({}), on(last(), on(hidden(), x)))),
      posterior,
    );
  });

  it('a file, and one whose maker does not know the architecture', async () => {
    const posterior = await posteriorOf(PLAIN());
    const again = right(decodePosterior(right(encodePosterior(posterior))));
    expect(again.architecture).toBe(posterior.architecture);
    expect(posterior.architecture).toMatch(/^[0-9a-f]{16}$/);
    const { architecture: _, ...without } = posterior;
    const foreign = right(decodePosterior(right(encodePosterior(without))));
    expect(foreign.architecture).toBeUndefined();
    await predicted((OTHERS[0] as [string, Build, Build])[2](), foreign);
  });

  it('factors whose maker does not know it, on either side', async () => {
    const data = { x: inputsFor(PLAIN(), 4, 1), y: tf.ones([4, 2]) };
    const [one, two] = [await factorsOf(PLAIN(), LIKELIHOOD, data), await factorsOf(PLAIN(), LIKELIHOOD, data)];
    const { architecture, ...layout } = two.layout;
    const foreign = { ...two, layout };
    for (const both of [merge(one, foreign), merge(foreign, one)]) {
      expect(E.isRight(both) && [both.right.count, both.right.layout.architecture]).toEqual([8, architecture]);
    }
  });

  it.each([...ZOO, ...DENSE_NETWORKS, ...MIXED_NETWORKS])('a model that was saved and loaded: $name', async ({ build }) => {
    // tfjs warns that it does not save what recurrent layers were called with.
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const model = build();
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    const again = await tf.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
    warn.mockRestore();
    const hash = (own: tf.LayersModel): string => architectureOf(right(readNetwork(own, likelihoodFor(own))));
    expect(hash(again)).toBe(hash(model));
  });
});

const likelihoodFor = ({ outputs, outputNames }: tf.LayersModel): Likelihood =>
  outputs.length === 1
    ? LIKELIHOOD
    : ({ _tag: 'perOutput', outputs: Object.fromEntries(outputNames.map((name) => [name, LIKELIHOOD])) } as Likelihood);
