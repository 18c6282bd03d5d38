/** A posterior on the device: when a layer's tensors are uploaded, how long they live, and who frees them. */
import * as tf from '@tensorflow/tfjs';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import {
  type DeviceLayer,
  type DevicePosterior,
  posteriorOnDemand,
  residentPosterior,
} from '../../src/predictive/device/device.js';
import type { DeviceForm } from '../../src/predictive/device/structure/structure.js';
import { key } from '../../src/random/key.js';
import type { Noise } from '../../src/random/noise.js';
import { right } from '../support/math/laplace.js';
import { type FittedStructure, fittedWith, STRUCTURES } from '../support/structures.js';

const NOISE: Noise = { _tag: 'pseudoRandom', key: key(1), sign: 1 };
const TEMPERATURE = 0.5;

const on = (place: typeof residentPosterior, { model, posterior }: FittedStructure): DevicePosterior =>
  place(right(withBlocks(right(readNetwork(model, posterior.likelihood)), 'all')), posterior, TEMPERATURE);

/** The layer of a fitted posterior that has the structure under test. */
const layerIn = ({ layers }: DevicePosterior, { posterior, layer }: FittedStructure): DeviceLayer =>
  layers[posterior.layers.indexOf(layer)] as DeviceLayer;

/** How many arrays went from the host to the device, and how many tensors came to stay, while `run` was at work. */
function counted<R>(run: () => R): { readonly result: R; readonly uploads: number; readonly tensors: number } {
  const write = jest.spyOn(tf.backend(), 'write');
  const before = tf.memory().numTensors;
  try {
    const result = run();
    return { result, uploads: write.mock.calls.length, tensors: tf.memory().numTensors - before };
  } finally {
    write.mockRestore();
  }
}

/** A draw of the weights, on the host. */
const draw = (layer: DeviceLayer): number[] => tf.tidy(() => Array.from(layer.lend((form) => form.deviation(NOISE)).dataSync()));

/** The form that a layer lends. On demand its tensors are gone when this returns. */
const lent = (layer: DeviceLayer): DeviceForm => {
  let form: DeviceForm | undefined;
  layer.lend((own) => {
    form = own;
    return [];
  });
  return form as unknown as DeviceForm;
};

const failure = new Error('the work on a layer failed');
const failing = (layer: DeviceLayer) => () =>
  tf.tidy(() =>
    layer.lend((form) => {
      form.deviation(NOISE);
      throw failure;
    }),
  );

describe.each(STRUCTURES)('%s', (structure) => {
  it('is uploaded once if it is resident, and freed by dispose alone', async () => {
    const fitted = await fittedWith(structure);
    const upload = counted(() => on(residentPosterior, fitted));
    const device = upload.result;
    const layer = layerIn(device, fitted);
    expect(upload.uploads).toBeGreaterThan(0);
    expect(upload.tensors).toBeGreaterThan(0);

    const lending = counted(() => [lent(layer), lent(layer)]);
    expect([lending.uploads, lending.tensors]).toEqual([0, 0]);
    expect(lending.result[0]).toBe(lending.result[1]);

    const before = draw(layer);
    const thrown = counted(() => expect(failing(layer)).toThrow(failure));
    expect(thrown.tensors).toBe(0);
    expect(draw(layer)).toEqual(before);

    expect(counted(() => device.dispose()).tensors).toBe(-upload.tensors);
  });

  it('is uploaded anew each time it is lent on demand, and freed when the call returns or throws', async () => {
    const fitted = await fittedWith(structure);
    const { result: device, ...placed } = counted(() => on(posteriorOnDemand, fitted));
    expect([placed.uploads, placed.tensors]).toEqual([0, 0]);
    const layer = layerIn(device, fitted);

    const [first, second] = [counted(() => lent(layer)), counted(() => lent(layer))];
    expect(first.uploads).toBeGreaterThan(0);
    expect([second.uploads, first.tensors, second.tensors]).toEqual([first.uploads, 0, 0]);

    // A tensor that the work returns outlives the call, and ends with the caller's tidy.
    const kept = counted(() => tf.tidy(() => counted(() => layer.lend((form) => form.deviation(NOISE))).tensors));
    expect([kept.result, kept.tensors]).toEqual([1, 0]);

    expect(counted(() => expect(failing(layer)).toThrow(failure)).tensors).toBe(0);
    expect(counted(() => device.dispose()).tensors).toBe(0);
  });

  it('gives the same draw either way', async () => {
    const fitted = await fittedWith(structure);
    const resident = on(residentPosterior, fitted);
    const expected = draw(layerIn(resident, fitted));
    resident.dispose();
    expect(expected.some((v) => v !== 0)).toBe(true);
    expect(draw(layerIn(on(posteriorOnDemand, fitted), fitted))).toEqual(expected);
  });
});

describe('the table of variances of lowRank', () => {
  const variances = (layer: DeviceLayer, a: tf.Tensor2D): number[] =>
    tf.tidy(() => Array.from(layer.lend((form) => form.outputs(form.squaredInputs(a), 'variance')).dataSync()));

  it('is made once by a resident layer, and freed with it', async () => {
    const fitted = await fittedWith('lowRank');
    const a = tf.ones([2, fitted.layer.n]) as tf.Tensor2D;
    const { result: device, tensors } = counted(() => on(residentPosterior, fitted));
    const layer = layerIn(device, fitted);
    const [first, second] = [counted(() => variances(layer, a)), counted(() => variances(layer, a))];
    expect([first.tensors, second.tensors]).toEqual([1, 0]);
    expect(second.result).toEqual(first.result);
    expect(counted(() => device.dispose()).tensors).toBe(-tensors - 1);
  });

  it('is not kept by a layer on demand', async () => {
    const fitted = await fittedWith('lowRank');
    const a = tf.ones([2, fitted.layer.n]) as tf.Tensor2D;
    const layer = layerIn(on(posteriorOnDemand, fitted), fitted);
    expect(counted(() => variances(layer, a)).tensors).toBe(0);
  });
});
