/** Predictions of several outputs: each what it would be in a model of its own, where the covered layers are its own. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  type Classification,
  customLikelihood,
  type gaussian,
  kfac,
  type Likelihood,
  linearised,
  type OutputPrediction,
  outputDistribution,
  type PerOutput,
  type PredictionOf,
  type Predictive,
  perOutput,
  predict,
  type Regression,
  type Several,
  sampleModels,
  weightSampling,
} from 'tfjs-laplace';
import { pass } from '../support/factors.js';
import { ANGLE, BOTH, DIGIT, headData, type TwoHeads, twoHeads } from '../support/heads.js';
import { posteriorFrom, predictOne } from '../support/math/laplace.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { holds, type Same } from '../support/types.js';

/** The same float32 numbers by way of matrices of other shapes. */
const SAME = 1e-5;

let heads: TwoHeads;
let data: ReturnType<typeof headData>;
beforeAll(() => {
  heads = twoHeads();
  data = headData(heads.model, 6);
});

async function predicted(
  model: tf.LayersModel,
  likelihood: Likelihood,
  y: tf.Tensor | typeof data.y,
  layers: 'all' | string[],
  predictive: Predictive,
) {
  const factors = await pass(model, likelihood, { x: data.x, y }, kfac({ layers }));
  return predictOne(model, await posteriorFrom(factors, { priorPrecision: 0.5 }), predictive, data.x[0]);
}

/** Every word and array of a prediction. */
function expectSame(found: OutputPrediction, expected: OutputPrediction): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) {
    if (typeof value === 'string') expect(found).toHaveProperty(key, value);
    else expect(relativeError((found as never)[key], value)).toBeLessThan(SAME);
  }
}

const PREDICTIVES: ReadonlyArray<Predictive> = [
  linearised({ temperature: 2 }),
  activationSampling({ samples: 5, seed: 3 }),
  weightSampling({ samples: 5, seed: 3 }),
];

describe.each(PREDICTIVES)('$_tag', (predictive) => {
  it('of layers that belong to one output: that output as in its own model, the other without uncertainty of the weights', async () => {
    const both = (await predicted(heads.model, BOTH, data.y, ['logits'], predictive)) as Several;
    expect(Object.keys(both.outputs)).toEqual(['digit', 'angle']);
    expectSame(
      both.outputs.digit as OutputPrediction,
      (await predicted(heads.digit, DIGIT, data.y.digit, ['logits'], predictive)) as OutputPrediction,
    );
    const angle = both.outputs.angle as Regression;
    const [, expected] = heads.model.predict(data.x) as [tf.Tensor, tf.Tensor];
    expect(relativeError(angle.mean, expected)).toBeLessThan(SAME);
    expect(Math.max(...angle.epistemicVariance.flatMap((row) => [...row]))).toBeLessThan(1e-10);
    expect(relativeError(angle.totalVariance, angle.noiseVariance)).toBeLessThan(SAME);
  });

  it('and the other way round', async () => {
    const layers = ['own', 'angle'];
    const both = (await predicted(heads.model, BOTH, data.y, layers, predictive)) as Several;
    expectSame(
      both.outputs.angle as OutputPrediction,
      (await predicted(heads.angle, ANGLE, data.y.angle, layers, predictive)) as OutputPrediction,
    );
    const digit = both.outputs.digit as Classification;
    const [expected] = heads.model.predict(data.x) as [tf.Tensor];
    expect(relativeError(digit.probabilities, expected)).toBeLessThan(SAME);
    expect(Math.max(...digit.mutualInformation)).toBeLessThan(1e-6);
  });

  it('frees what it makes', async () => {
    await expectNoLeak(() => predicted(heads.model, BOTH, data.y, 'all', predictive));
  });
});

it('linearised: variances are those of the joint distribution of the outputs', async () => {
  const posterior = await posteriorFrom(await pass(heads.model, BOTH, data, kfac()), { priorPrecision: 0.5 });
  const { outputs } = (await predictOne(heads.model, posterior, linearised(), data.x[0])) as Several;
  const { covariance } = await outputDistribution(heads.model, posterior, data.x);
  const expected = covariance.map((row) => [row[3 * 5 + 3] as number, row[4 * 5 + 4] as number]);
  expect(relativeError((outputs.angle as Regression).epistemicVariance, expected)).toBeLessThan(SAME);
});

it("a likelihood of one's own beside another: as in its own model", async () => {
  const own = customLikelihood({
    name: 'a regression',
    nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1) as tf.Tensor1D,
    hessianRoot: (f) => tf.expandDims(tf.mul(tf.onesLike(f), Math.SQRT2), 0) as tf.Tensor3D,
    mean: (f) => f,
    variance: (f) => tf.mul(tf.onesLike(f), 0.5),
  });
  const likelihood = perOutput({ digit: DIGIT, angle: own });
  const layers = ['own', 'angle'];
  const both = (await predicted(heads.model, likelihood, data.y, layers, linearised())) as Several;
  const alone = await predicted(heads.angle, own, data.y.angle, layers, linearised());
  expectSame(both.outputs.angle as OutputPrediction, alone as OutputPrediction);
});

it('sampled networks have the outputs of the model, and agree with the predictive', async () => {
  const posterior = await posteriorFrom(await pass(heads.model, BOTH, data, kfac()), { priorPrecision: 0.5 });
  const members = await lastValueFrom(of(posterior).pipe(sampleModels(heads.model, { samples: 4, seed: 3 }), toArray()));
  const stream = from([data.x]).pipe(predict(heads.model, posterior, weightSampling({ samples: 4, seed: 3 })));
  const { outputs } = (await lastValueFrom(stream)) as Several;
  const mean = tf.tidy(() => {
    const angles = members.map((member) => (member.predict(data.x) as tf.Tensor[])[1] as tf.Tensor);
    return tf.mean(tf.stack(angles), 0);
  });
  expect(relativeError((outputs.angle as Regression).mean, mean)).toBeLessThan(SAME);
  for (const member of members) member.dispose();
});

holds<Same<PredictionOf<typeof BOTH>, Several<{ readonly digit: Classification; readonly angle: Regression }>>>();
holds<Same<PredictionOf<ReturnType<typeof gaussian>>, Regression>>();
holds<typeof BOTH extends PerOutput ? true : false>();
