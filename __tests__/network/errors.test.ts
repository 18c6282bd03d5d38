/** Models that cannot be read, and layers that cannot be covered, are error values that say what to do. */
import * as tf from '@tensorflow/tfjs';
import { either as E, function as F } from 'fp-ts';
import { bernoulli, categorical, gaussian, kfac, type LaplaceError, type LayerSelection, type Likelihood } from 'tfjs-laplace';
import { coveredBy } from 'tfjs-laplace/extend';
import type { NotLinear } from '../../src/network/blocks.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { foreign } from '../support/foreign.js';
import { chain, dense, functional, on, withWeights } from '../support/math/networks.js';

type Read = E.Either<LaplaceError, Network>;

const covered = (model: tf.LayersModel, layers: LayerSelection, notLinear?: NotLinear): Read =>
  F.pipe(
    readNetwork(model, gaussian()),
    E.chain((network) => withBlocks(network, layers, notLinear)),
  );

/** Kind, and the parts that name what the error is about. */
const about = (read: Read) =>
  E.isLeft(read) ? { kind: read.left.kind, message: read.left.message, layer: read.left.layer } : read._tag;

const names = (read: Read): string[] => (E.isLeft(read) ? [] : read.right.blocks.map((b) => b.name));

describe('a model that cannot be read', () => {
  it.each<[string, Likelihood, () => tf.LayersModel, RegExp]>([
    ['not built', gaussian(), () => tf.sequential(), /not built/],
    ['several outputs', gaussian(), () => functional([3], (x) => [on(dense(2), x), on(dense(1), x)]), /several outputs/],
    [
      'softmax with bernoulli',
      bernoulli(),
      () => tf.sequential({ layers: [dense(2, { inputShape: [3], activation: 'softmax' })] }),
      /'softmax'/,
    ],
    [
      'sigmoid with categorical',
      categorical(),
      () => tf.sequential({ layers: [dense(2, { inputShape: [3], activation: 'sigmoid' })] }),
      /'sigmoid'/,
    ],
    ['softmax with gaussian', gaussian(), () => functional([3], (x) => on(tf.layers.softmax(), on(dense(2), x))), /'softmax'/],
    ['one output with categorical', categorical(), () => chain([1]), /bernoulli\(\)/],
    ['an output for every step', gaussian(), () => functional([4, 3], (x) => on(dense(2), x)), /\[B, 4, 2\]/],
    [
      'a mask',
      gaussian(),
      () => tf.sequential({ layers: [tf.layers.masking({ inputShape: [4, 2] }), tf.layers.simpleRNN({ units: 3 }), dense(2)] }),
      /mask/,
    ],
    [
      'a mask of an embedding',
      gaussian(),
      () =>
        tf.sequential({
          layers: [
            tf.layers.embedding({ inputDim: 5, outputDim: 2, maskZero: true, inputLength: 4 }),
            tf.layers.simpleRNN({ units: 3 }),
            dense(2),
          ],
        }),
      /mask/,
    ],
  ])('%s', (_, likelihood, build, words) => {
    expect(about(readNetwork(build(), likelihood))).toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(words),
    });
  });

  it('disposed', () => {
    const model = chain([2]);
    model.dispose();
    expect(about(readNetwork(model, gaussian()))).toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(/disposed/),
    });
  });
});

describe('a layer that cannot be covered', () => {
  it('no dense layer at all', () => {
    const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2] })] });
    for (const layers of ['all', 'last'] as const)
      expect(about(covered(model, layers))).toMatchObject({ kind: 'NoBayesianLayer' });
  });

  it('an unknown name: the error lists the known ones', () => {
    const model = chain([4, 2]);
    const [first, last] = model.layers.map((l) => l.name) as [string, string];
    const error = about(covered(model, [first, 'dense_99']));
    expect(error).toMatchObject({ kind: 'NoBayesianLayer', message: expect.stringContaining('dense_99') });
    expect(error).toMatchObject({ message: expect.stringContaining(`${first}, ${last}`) });
  });

  it('no name', () => {
    expect(about(covered(chain([4, 2]), []))).toMatchObject({ kind: 'NoBayesianLayer' });
  });

  it("a foreign trainable layer: refused by 'all', by its name; left at its MAP by 'last', by names, or when frozen", () => {
    const build = (trainable: boolean): tf.LayersModel =>
      functional([3], (x) => on(dense(2, { name: 'top' }), on(foreign('own', { trainable }), on(dense(3, { name: 'low' }), x))));
    const error = about(covered(build(true), 'all'));
    expect(error).toMatchObject({ kind: 'UnsupportedLayer', layer: 'own', message: expect.stringContaining('Foreign') });
    for (const remedy of ["unsupported: 'map'", "layers: 'last'", 'freeze'])
      expect(error).toMatchObject({ message: expect.stringContaining(remedy) });
    expect(about(covered(build(true), ['own']))).toMatchObject({ kind: 'NoBayesianLayer' });
    expect(names(covered(build(true), 'last'))).toEqual(['top']);
    expect(names(covered(build(true), ['low', 'top']))).toEqual(['low', 'top']);
    expect(names(covered(build(false), 'all'))).toEqual(['low', 'top']);
  });

  it("a foreign trainable layer under 'map' stays at its MAP", () => {
    const model = functional([3], (x) => on(dense(2, { name: 'top' }), on(foreign('own'), on(dense(3, { name: 'low' }), x))));
    expect(names(covered(model, 'all', 'map'))).toEqual(['low', 'top']);
    const asked = F.pipe(
      readNetwork(model, gaussian()),
      E.chain((network) => coveredBy(network, kfac({ unsupported: 'diagonal' }))),
    );
    // A diagonal has no block for it either.
    expect(about(asked)).toMatchObject({ kind: 'UnsupportedLayer', layer: 'own' });
  });

  it('nothing but foreign layers, whatever the policy', () => {
    const model = functional([3], (x) => on(foreign('own'), x));
    for (const notLinear of ['error', 'map'] as const)
      expect(about(covered(model, 'all', notLinear))).toMatchObject({
        kind: 'NoBayesianLayer',
        message: expect.stringContaining('own (Foreign)'),
      });
  });

  it('two layers of one name, in models inside models', () => {
    const inner = (): tf.LayersModel => tf.sequential({ layers: [dense(3, { inputShape: [3], name: 'twin' })] });
    const model = withWeights(tf.sequential({ layers: [inner(), inner(), dense(2, { name: 'top' })] }), 1);
    expect(about(covered(model, 'all'))).toMatchObject({ kind: 'UnsupportedLayer', layer: 'twin' });
    expect(about(covered(model, ['twin']))).toMatchObject({ kind: 'UnsupportedLayer', layer: 'twin' });
    expect(names(covered(model, 'last'))).toEqual(['top']);
  });
});

describe('frozen layers', () => {
  it("stay out of 'all' and 'last'; a name covers them all the same", () => {
    const model = chain([4, 3, 2]);
    const [first, middle, last] = model.layers as [tf.layers.Layer, tf.layers.Layer, tf.layers.Layer];
    [first, last].forEach((layer) => {
      layer.trainable = false;
    });
    expect(names(covered(model, 'all'))).toEqual([middle.name]);
    expect(names(covered(model, 'last'))).toEqual([middle.name]);
    expect(names(covered(model, [last.name]))).toEqual([last.name]);
  });

  it('are those of a frozen inner model too', () => {
    const inner = tf.sequential({ layers: [dense(3, { inputShape: [3], name: 'base' })] });
    inner.trainable = false;
    const model = tf.sequential({ layers: [inner, dense(2, { name: 'head' })] });
    expect(names(covered(model, 'all'))).toEqual(['head']);
  });

  it('leave nothing to cover when all are frozen', () => {
    const model = chain([2]);
    model.layers.forEach((layer) => {
      layer.trainable = false;
    });
    expect(about(covered(model, 'all'))).toMatchObject({ kind: 'NoBayesianLayer' });
  });
});
