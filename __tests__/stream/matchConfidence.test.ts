/** Without labels the scale is where the mean confidence of `predict` is the trained network's own. */
import type * as tf from '@tensorflow/tfjs';
import {
  activationSampling,
  bernoulli,
  type Classification,
  categorical,
  functionSampling,
  gaussian,
  inputBatches,
  linearised,
  matchConfidence,
  type Predictive,
  recipe,
  type Several,
  weightSampling,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { fittedChain, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { expectNoLeak } from '../support/memory.js';

const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length;
const confidence = ({ probabilities }: Classification, isClasses: boolean): number =>
  mean(probabilities.flatMap((p) => (isClasses ? [Math.max(...p)] : Array.from(p, (v) => Math.max(v, 1 - v)))));

/** log s is found to 1e-5, and probabilities are float32. */
const SAME = 5;

describe.each<[string, Predictive]>([
  ['probit', linearised()],
  ['multiclassProbit', linearised({ link: 'multiclassProbit', temperature: 0.5 })],
  ['activationSampling', activationSampling({ samples: 6 })],
  ['weightSampling', weightSampling({ samples: 6, temperature: 2 })],
  ['functionSampling', functionSampling({ samples: 6 })],
])('%s', (_, predictive) => {
  it.each([categorical(), bernoulli()])('has the confidence of the network: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fittedChain(likelihood);
    const isClasses = likelihood._tag === 'categorical';
    const found = await matchConfidence(model, posterior, [x], predictive);
    expect({ ...found, scale: predictive.scale }).toEqual(predictive);
    expect(Object.isFrozen(found)).toBe(true);
    const own = (await predictOne(model, posterior, found, x)) as Classification;
    const network = (await predictOne(model, posterior, linearised({ temperature: 0 }), x)) as Classification;
    expect(confidence(own, isClasses)).toBeCloseTo(confidence(network, isClasses), SAME);
    // A wide posterior is less sure by itself.
    expect(found.scale).not.toBe(1);
  });
});

it('does not depend on how inputs are cut, takes a recipe, and tells its progress', async () => {
  const { model, posterior, x } = await fittedChain(categorical());
  const whole = await matchConfidence(model, posterior, [x]);
  const done: number[] = [];
  const own = recipe({ likelihood: categorical(), predictive: linearised({ seed: 3 }) });
  const cut = await matchConfidence(model, posterior, inputBatches(x, 2), own, { onProgress: (event) => done.push(event.done) });
  expect(cut.scale / whole.scale).toBeCloseTo(1, SAME);
  expect(cut).toMatchObject({ seed: 3 });
  expect(done).toEqual(done.map((_, i) => i + 1));
  expect(done).toHaveLength(Math.ceil((x.shape[0] as number) / 2));
});

it('counts the outputs with classes alone', async () => {
  const { model } = twoHeads();
  const { x, y } = headData(model, 6);
  const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }), { priorPrecision: 0.5 });
  const found = await matchConfidence(model, posterior, [x]);
  const of = async (predictive: Predictive): Promise<number> => {
    const { outputs } = (await predictOne(model, posterior, predictive, x[0] as tf.Tensor)) as Several;
    return confidence(outputs.digit as Classification, true);
  };
  expect(await of(found)).toBeCloseTo(await of(linearised({ temperature: 0 })), SAME);
});

it('refuses what has no confidence, and leaves nothing on the device', async () => {
  const { model, posterior, x } = await fittedChain(categorical());
  await expectNoLeak(() => matchConfidence(model, posterior, inputBatches(x, 2)));
  await expectNoLeak(() => matchConfidence(model, posterior, inputBatches(x, 2), weightSampling({ samples: 3 })));
  await expectRejection(matchConfidence(model, posterior, []), 'InvalidOption', { field: 'inputs' });
  await expectRejection(matchConfidence(model, posterior, [x], linearised({ temperature: 0 })), 'InvalidOption', {
    field: 'predictive.temperature',
  });
  await expectRejection(matchConfidence(model, posterior, 3 as never), 'InvalidOption');
  const regression = await fittedChain(gaussian(), 2);
  await expectRejection(matchConfidence(regression.model, regression.posterior, [regression.x]), 'InvalidOption', {
    field: 'likelihood',
  });
});
