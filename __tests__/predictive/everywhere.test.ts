/**
 * The same seed gives the same samples, whatever computes: factors, decompositions and draws on every backend that is there, in one
 * process. The factors are rank-deficient, as those of real networks are (margins of pictures, more inputs than examples, dead units):
 * each backend's rounding gives their null spaces a basis of its own, and none of it may show in a sample.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  categorical,
  kfac,
  linearised,
  type Matrix,
  observe,
  type Posterior,
  type Predictive,
  predict,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { load } from '../support/backend.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { tensor, withFixedWeights } from '../support/networks.js';

const EXAMPLES = 8;
const INPUTS = 12;
const TAU = 1;

/**
 * Float32 factors differ by a few 1e-7 of their size from backend to backend. An eigenvalue near 0 is off by that much of the
 * largest, and N α γ, here below 100, is added to τ = 1: that could make 1e-5 of some variances. Found is 3e-7. A null space in
 * another basis changed samples by 0.9.
 */
const TOLERANCE = FLOAT32;

/** What one backend gives. */
interface Results {
  readonly posterior: Posterior;
  readonly members: ReadonlyArray<ReadonlyArray<number>>;
  readonly predictions: ReadonlyArray<ReadonlyArray<number>>;
}

const PREDICTIVES: ReadonlyArray<Predictive> = [
  linearised(),
  activationSampling({ samples: 5, seed: 3 }),
  weightSampling({ samples: 5, seed: 4 }),
  weightSampling({ samples: 5, seed: 4, design: 'antithetic' }),
  activationSampling({ samples: 20, seed: 4, design: 'quasiRandom' }),
  weightSampling({ samples: 20, seed: 4, design: 'quasiRandom' }),
];

const network = (): tf.Sequential =>
  withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 10, activation: 'relu', inputShape: [INPUTS], name: 'hidden' }),
        tf.layers.dense({ units: 3, name: 'outputs' }),
      ],
    }),
  );

const membersOf = async (model: tf.LayersModel, posterior: Posterior): Promise<number[][]> => {
  const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 2, seed: 7 }), toArray()));
  return members.map((member) => {
    const weights = member.getWeights().flatMap((w) => [...w.dataSync()]);
    member.dispose();
    return weights;
  });
};

async function results(backend: string): Promise<Results> {
  await tf.setBackend(backend);
  const model = network();
  // The third input is always 0.
  const mask = tf.tensor1d(Float32Array.from({ length: INPUTS }, (_, i) => (i === 2 ? 0 : 1)));
  const x = tf.mul(tensor([EXAMPLES, INPUTS], 3), mask);
  const y = tf.tensor1d(Float32Array.from({ length: EXAMPLES }, (_, i) => i % 3));
  const factors = await lastValueFrom(
    from(batches({ x, y }, 4)).pipe(observe(model, categorical()), accumulateFactors(kfac({ fisher: 'exact' }))),
  );
  const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: TAU })));
  const predictions = [];
  for (const predictive of PREDICTIVES) {
    const prediction = await lastValueFrom(of(x).pipe(predict(model, posterior, predictive)));
    if (prediction._tag === 'classification') predictions.push(prediction.probabilities.flatMap((row) => [...row]));
  }
  return { posterior, members: await membersOf(model, posterior), predictions };
}

/** Each by the name that tfjs knows it by; TensorFlow's own kernels where they load. */
const backends = ['cpu', 'wasm', 'node'].flatMap((name) => {
  try {
    return [load(name)];
  } catch {
    return [];
  }
});

let before: string;
const found = new Map<string, Results>();
beforeAll(async () => {
  before = tf.getBackend();
  tf.env().set('IS_TEST', true);
  for (const backend of backends) found.set(backend, await results(backend));
});
afterAll(() => tf.setBackend(before));

const [javascript, ...others] = backends as [string, ...string[]];
const on = (backend: string): Results => found.get(backend) as Results;

it.each(others)('%s samples the networks of plain JavaScript', (backend) => {
  expect(on(javascript).members).toHaveLength(2);
  on(javascript).members.forEach((member, i) => {
    expect(relativeError(on(backend).members[i] as number[], member)).toBeLessThan(TOLERANCE);
  });
});

it.each(others.flatMap((backend) => PREDICTIVES.map((p, i) => [backend, JSON.stringify(p), i] as const)))(
  '%s predicts as plain JavaScript: %s',
  (backend, _, i) => {
    const [a, b] = [on(backend).predictions[i] as number[], on(javascript).predictions[i] as number[]];
    expect(a).toHaveLength(3 * EXAMPLES);
    expect(relativeError(a, b)).toBeLessThan(TOLERANCE);
  },
);

/** The same distribution in other words: some eigenvectors with the other sign, and two of the null space turned by an angle. */
function reworded({ rows: n, data }: Matrix): Matrix {
  const turned = data.slice();
  const [cos, sin] = [Math.cos(1), Math.sin(1)];
  for (let i = 0; i < n; i++) {
    const [a, b] = [data[i * n] as number, data[i * n + 1] as number];
    turned[i * n] = cos * a - sin * b;
    turned[i * n + 1] = sin * a + cos * b;
    for (let j = 2; j < n; j += 2) turned[i * n + j] = -(data[i * n + j] as number);
  }
  return { rows: n, cols: n, data: turned };
}

it('no sample depends on which eigenvectors are taken for an eigenvalue', async () => {
  await tf.setBackend(javascript);
  const { posterior, members } = on(javascript);
  const hidden = posterior.layers[0] as Posterior['layers'][number];
  // More inputs than examples: a null space there is.
  if (hidden.structure !== 'kronecker') throw new Error('expected two factors');
  const { inputValues, inputVectors } = hidden.parts;
  expect(inputValues.data[1]).toBeLessThan(1e-6 * (inputValues.data.at(-1) as number));
  const parts = { ...hidden.parts, inputVectors: reworded(inputVectors as Matrix) };
  const layers = [{ ...hidden, parts }, ...posterior.layers.slice(1)];
  const turned = await membersOf(network(), { ...posterior, layers });
  turned.forEach((member, i) => {
    expect(relativeError(member, members[i] as number[])).toBeLessThan(TOLERANCE);
  });
});
