/**
 * Activation sampling has the marginals of weight sampling for every kind of layer: those whose noise is each example's own, and
 * those that take one W for the batch.
 */
import * as tf from '@tensorflow/tfjs';
import { full, gaussian, kfac } from 'tfjs-laplace';
import { forward, type LinearRule, mapRule } from '../../src/network/forward.js';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { residentPosterior } from '../../src/predictive/device/device.js';
import { sampledActivations } from '../../src/predictive/sampling/activationSampling.js';
import { disposeWeights, drawWeights, sampledNetwork } from '../../src/predictive/sampling/weightSampling.js';
import { key } from '../../src/random/key.js';
import { noiseOf } from '../../src/random/noise.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { estimate, missedBy, STANDARD_ERRORS } from '../support/math/monteCarlo.js';
import { onWasmAlone } from '../support/wasmAlone.js';
import { ZOO, zooInputs } from '../support/zoo.js';

onWasmAlone();

/** Draws of each kind: a variance of the local part that is off by a third or so shows. */
const S = 250;

const CASES = ZOO.flatMap((zoo) => [
  { ...zoo, curvature: kfac(), title: zoo.name },
  ...(zoo.name === 'dense layers on sequences' ? [{ ...zoo, curvature: full(), title: `${zoo.name}, full` }] : []),
]);

it.each(CASES)('$title', async ({ curvature, ...zoo }) => {
  const model = zoo.build();
  const { y } = dataFor(model, gaussian(), 8);
  const factors = await factorsOf(model, gaussian(), { x: zooInputs(zoo, model, 8, 3), y }, curvature);
  const posterior = await posteriorFrom(factors, { priorPrecision: 4 });
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  const device = residentPosterior(network, posterior, 1);
  const x = zooInputs(zoo, model, 2, 9);
  // Of one noise layers with one W for the batch draw that of weight sampling: what differs is then the local layers' part alone.
  const outputs = (rule: LinearRule): number[] => tf.tidy(() => Array.from(forward(network, x, rule).outputs.dataSync()));
  const pairs = Array.from({ length: S }, (_, s) => {
    const noise = noiseOf('independent', key(3), s);
    const draw = drawWeights(device, noise);
    const byWeights = outputs(sampledNetwork(draw));
    disposeWeights(draw);
    return [byWeights, tf.tidy(() => outputs(sampledActivations(device, noise)))] as const;
  });
  device.dispose();
  const centre = outputs(mapRule).map((_, i) => estimate(pairs.map(([f]) => f[i] as number)).mean);
  for (const power of [1, 2]) {
    const moment = (f: number, i: number): number => (f - (centre[i] as number)) ** power;
    const differences = pairs.map(([a, b]) => a.map((f, i) => moment(f, i) - moment(b[i] as number, i)));
    expect(
      missedBy(
        differences,
        centre.map(() => 0),
      ),
    ).toBeLessThan(STANDARD_ERRORS);
  }
  // The test can tell: what varies does.
  expect(Math.max(...centre.map((_, i) => estimate(pairs.map(([f]) => f[i] as number)).standardError))).toBeGreaterThan(1e-3);
});
