/** What is given in place of a model by mistake is told apart, everywhere where a model is taken. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  coverage,
  fingerprint,
  gaussian,
  jointDistribution,
  kfac,
  observe,
  predict,
  sampleModels,
  toPosterior,
} from 'tfjs-laplace';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { dense } from '../support/math/networks.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../support/networks.js';

const LIKELIHOOD = gaussian({ noiseVariance: 0.5 });

describe('what is no model of layers', () => {
  /** The identity as a graph model: what tf.loadGraphModel gives. */
  const graphModel = () =>
    tf.loadGraphModel(
      tf.io.fromMemory({
        modelTopology: {
          node: [
            { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: {} } } },
            { name: 'y', op: 'Identity', input: ['x'], attr: { T: { type: 'DT_FLOAT' } } },
          ],
          versions: { producer: 27 },
          library: {},
        } as never,
        weightSpecs: [],
        weightData: new ArrayBuffer(0),
      }),
    );

  it.each<[string, () => unknown, RegExp, RegExp]>([
    ['a graph model', graphModel, /tf\.GraphModel/, /tfjs_layers_model.*tf\.loadLayersModel/],
    ['a promise of a model', async () => ({ promise: Promise.resolve(chain(pair('numbers'))) }), /a promise/, /await/],
    ['a layer', () => dense(2), /a layer, Dense/, /tf\.sequential/],
    ['nothing', () => undefined, /undefined/, /tf\.sequential/],
  ])('%s', async (_, make, found, remedy) => {
    const made = await make();
    const model = (made !== null && typeof made === 'object' && 'promise' in made ? made.promise : made) as tf.LayersModel;
    const numbers = pair('numbers');
    const good = chain(numbers);
    const factors = await pass(good, LIKELIHOOD, dataOf(numbers, 6));
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
    const x = tensor([2, INPUTS], 3);
    const runs: ReadonlyArray<() => Promise<unknown>> = [
      () => lastValueFrom(of({ x, y: tf.zeros([2, 3]) }).pipe(observe(model, LIKELIHOOD), accumulateFactors(kfac()))),
      () => lastValueFrom(of(x).pipe(predict(model, posterior))),
      () => lastValueFrom(of(posterior).pipe(sampleModels(model))),
      () => jointDistribution(model, posterior, x),
      () => laplaceApproximation(model, { likelihood: LIKELIHOOD }).fit({ x, y: tf.zeros([2, 3]) }),
      () => laplaceApproximation(model, { likelihood: LIKELIHOOD, pretrained: false }).fit({ x, y: tf.zeros([2, 3]) }),
      () => fingerprint(model),
    ];
    for (const run of runs) {
      const error = await expectRejection(run(), 'InvalidModel', { found: expect.stringMatching(found) as never });
      expect(error.remedy).toMatch(remedy);
      expect(error.expected).toBe('a tf.LayersModel');
    }
    expect(coverage(model, { likelihood: LIKELIHOOD, curvature: kfac() })).toMatchObject(
      E.left({ kind: 'InvalidModel', found: expect.stringMatching(found) }),
    );
  });
});
