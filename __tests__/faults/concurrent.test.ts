/** Several predictions of one posterior at the same time, together with sampled networks: the same numbers as one after another. */
import type * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  functionSampling,
  linearised,
  mapSamples,
  outputDistribution,
  type Posterior,
  type Predictive,
  predict,
  sampleFunctions,
  sampleModels,
  weightSampling,
} from 'tfjs-laplace';
import { fittedPair } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { INPUTS, pair, tensor } from '../support/networks.js';

let model: tf.LayersModel;
let posterior: Posterior;
let inputs: tf.Tensor[];
beforeAll(async () => {
  ({ model, posterior } = await fittedPair(pair('classes, softmax inside')));
  inputs = [1, 2, 3, 4].map((seed) => tensor([5, INPUTS], seed));
});

const weightsOf = (sample: tf.LayersModel): number[][] => sample.getWeights().map((w) => Array.from(w.dataSync()));
const predicted = (predictive: Predictive, memoryBudget?: number) => () =>
  lastValueFrom(from(inputs).pipe(predict(model, posterior, predictive, { ...(memoryBudget && { memoryBudget }) }), toArray()));

/** Every kind of work on a posterior, some of it twice. */
const WORK: ReadonlyArray<() => Promise<unknown>> = [
  predicted(linearised()),
  predicted(linearised({ link: 'monteCarlo' })),
  predicted(linearised(), 2 ** 14),
  predicted(activationSampling({ samples: 4, seed: 2 })),
  predicted(weightSampling({ samples: 4, seed: 3 })),
  predicted(functionSampling({ samples: 4, seed: 4 })),
  predicted(weightSampling({ samples: 4, seed: 3 })),
  async () => {
    const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 5, seed: 6 }), toArray()));
    const weights = members.map(weightsOf);
    for (const member of members) member.dispose();
    return weights;
  },
  () => lastValueFrom(of(posterior).pipe(mapSamples(model, { samples: 5, seed: 7 }, weightsOf), toArray())),
  () => lastValueFrom(from(inputs).pipe(sampleFunctions(model, posterior, { samples: 3, seed: 8 }), toArray())),
  () => outputDistribution(model, posterior, inputs[0] as tf.Tensor),
];

it('has the numbers of one after another, to the last bit', async () => {
  const alone: unknown[] = [];
  for (const work of WORK) alone.push(await work());
  expect(await Promise.all(WORK.map((work) => work()))).toEqual(alone);
  expect(await Promise.all([...WORK].reverse().map((work) => work()))).toEqual([...alone].reverse());
});

it('leaves nothing on the device', async () => {
  await expectNoLeak(() => Promise.all(WORK.map((work) => work())));
});
