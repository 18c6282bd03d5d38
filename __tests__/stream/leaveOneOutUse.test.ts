/** What `leaveOneOut` makes of its outputs, the limits of the prior, and its refusals. */
import * as tf from '@tensorflow/tfjs';
import {
  batches,
  bernoulli,
  type Classification,
  categorical,
  full,
  gaussian,
  kfac,
  type LaplaceErrorKind,
  type Likelihood,
  leaveOneOut,
  linearised,
  type Posterior,
  perStep,
  poisson,
  type Regression,
  weightSampling,
  withPrior,
} from 'tfjs-laplace';
import { countNll } from 'tfjs-laplace/extend';
import { threeSquares } from '../support/custom.js';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { BOTH, DIGITS, headData, twoHeads } from '../support/heads.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { negativeLogLikelihood, softmax } from '../support/math/likelihoods64.js';
import { chain, dense, inputsFor, withWeights } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length;
const plain = (rows: ReadonlyArray<ArrayLike<number>>): number[][] => rows.map((row) => Array.from(row));

interface Case {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  readonly data: { readonly x: tf.Tensor; readonly y: tf.Tensor };
  readonly targets: number[][];
}

async function caseOf(likelihood: Likelihood, priorPrecision = 1, hidden = 4, C = 3): Promise<Case> {
  const model = chain([hidden, C]);
  const data = dataFor(model, likelihood, 10);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, data, kfac()), { priorPrecision });
  return { model, posterior, data: { x: data.x[0] as tf.Tensor, y: data.y }, targets: data.targets };
}

describe('the predictions and their NLL', () => {
  // Probabilities and moments are float32; the NLL is a logarithm of theirs.
  const CLOSE = 1e-5;
  const at = (rows: ReadonlyArray<ArrayLike<number>>, i: number, c: number): number => rows[i]?.[c] as number;

  it('have the link, the scale and the temperature of the predictive', async () => {
    const { model, posterior, data, targets } = await caseOf(categorical());
    const predictive = linearised({ scale: 1.7, temperature: 0.6 });
    const found = await leaveOneOut(model, posterior, batches(data, 4), { predictive });
    const { probabilities } = found.prediction as Classification;
    const expected = found.mean.map((f, i) =>
      softmax(Array.from(f, (v, c) => (1.7 * v) / Math.sqrt(1 + (Math.PI / 8) * 0.6 * at(found.covariance, i, 4 * c)))),
    );
    expect(relativeError(plain(probabilities), expected)).toBeLessThan(CLOSE);
    const losses = expected.map((p, i) => -Math.log(p[(targets[i] as number[]).indexOf(1)] as number));
    expect(relativeError(Array.from(found.losses), losses)).toBeLessThan(CLOSE);
    expect(found.nll.value).toBeCloseTo(meanOf(losses), 5);
  });

  it('of labels and of counts are added up', async () => {
    const labels = await caseOf(bernoulli());
    const own = await leaveOneOut(labels.model, labels.posterior, batches(labels.data, 4));
    const { probabilities } = own.prediction as Classification;
    const nats = labels.targets.map((row, i) =>
      row.reduce((sum, y, c) => sum - Math.log(y === 1 ? at(probabilities, i, c) : 1 - at(probabilities, i, c)), 0),
    );
    expect(relativeError(Array.from(own.losses), nats)).toBeLessThan(CLOSE);

    const counts = await caseOf(poisson());
    const found = await leaveOneOut(counts.model, counts.posterior, batches(counts.data, 4));
    const losses = counts.targets.map((row, i) =>
      row.reduce((sum, y, c) => {
        const v = at(found.covariance, i, 4 * c);
        const rate = Math.exp(at(found.mean, i, c) + v / 2);
        return sum + countNll(rate, rate + rate * rate * Math.expm1(v), y);
      }, 0),
    );
    expect(relativeError(Array.from(found.losses), losses)).toBeLessThan(CLOSE);
    expect((found.prediction as Regression).support).toBe('counts');
  });

  it('of steps are added up, without those that do not count', async () => {
    const [S, C] = [2, 3];
    const body = [dense(4, { activation: 'tanh', inputShape: [3] }), dense(S * C)];
    const model = withWeights(tf.sequential({ layers: [...body, tf.layers.reshape({ targetShape: [S, C] })] }), 7);
    const labels = Array.from({ length: 6 }, (_, i) => [(2 * i) % C, i % 3 === 0 ? -1 : i % C]);
    const data = { x: inputsFor(model, 6, 5)[0] as tf.Tensor, y: tf.tensor2d(labels) };
    const likelihood = perStep(categorical(), { ignoreLabel: -1 });
    const posterior = await posteriorFrom(await pass(model, likelihood, data), { priorPrecision: 1 });
    const found = await leaveOneOut(model, posterior, batches(data, 4));
    const { probabilities } = found.prediction as Classification;
    const nats = labels.map((row, i) =>
      row.reduce((sum, y, s) => (y < 0 ? sum : sum - Math.log(at(probabilities, S * i + s, y))), 0),
    );
    expect(relativeError(Array.from(found.losses), nats)).toBeLessThan(CLOSE);
  });

  it('of several outputs are added up', async () => {
    const { model } = twoHeads();
    const data = headData(model, 6);
    const training = { x: data.x[0], y: data.y };
    const posterior = await posteriorFrom(await pass(model, BOTH, training), { priorPrecision: 2 });
    const found = await leaveOneOut(model, posterior, batches(training, 4));
    if (found.prediction._tag !== 'several') throw new Error('several');
    const { digit, angle } = found.prediction.outputs as { digit: Classification; angle: Regression };
    const [classes, numbers] = [data.y.digit.arraySync() as number[], data.y.angle.arraySync() as number[][]];
    const nats = numbers.map((row, i) =>
      row.reduce(
        (sum, y, t) => {
          const noise = gaussian({ noiseVariance: at(angle.totalVariance, i, t) });
          return sum + negativeLogLikelihood(noise, [at(angle.mean, i, t)], [y]);
        },
        -Math.log(at(digit.probabilities, i, classes[i] as number)),
      ),
    );
    expect(relativeError(Array.from(found.losses), nats)).toBeLessThan(CLOSE);
    // The outputs vary together, and each head reads its own.
    expect(
      relativeError(
        plain(angle.mean),
        found.mean.map((f) => Array.from(f).slice(DIGITS)),
      ),
    ).toBeLessThan(CLOSE);
  });

  it('are the same however the data are cut, and however little memory there is', async () => {
    const { model, posterior, data } = await caseOf(categorical());
    const whole = await leaveOneOut(model, posterior, batches(data, 10));
    const cut = await leaveOneOut(model, posterior, batches(data, 3), { memoryBudget: 12000 });
    expect(relativeError(Array.from(cut.losses), Array.from(whole.losses))).toBeLessThan(CLOSE);
    expect(Object.isFrozen(whole) && Object.isFrozen(whole.mean) && Object.isFrozen(whole.nll)).toBe(true);
  });
});

it('is the trained network where the posterior is narrow', async () => {
  const { model, posterior, data, targets } = await caseOf(categorical(), 1e9);
  const found = await leaveOneOut(model, posterior, batches(data, 4));
  const f = (model.predict(data.x) as tf.Tensor2D).arraySync() as number[][];
  // V is some 1e-8.
  expect(relativeError(plain(found.mean), f)).toBeLessThan(1e-6);
  const losses = f.map((row, i) => -Math.log(softmax(row)[(targets[i] as number[]).indexOf(1)] as number));
  expect(relativeError(Array.from(found.losses), losses)).toBeLessThan(1e-6);
  expect([found.form, found.untrusted]).toEqual(['corrected', 0]);
  expect(Math.max(...found.leverage)).toBeLessThan(1e-6);
});

describe('where the weights can fit every example', () => {
  it('takes the plain form, counts the examples, and says so; the corrected form refuses', async () => {
    const own = await caseOf(categorical(), 1e-3, 64);
    const found = await leaveOneOut(own.model, own.posterior, batches(own.data, 4));
    expect(found.form).toBe('plain');
    expect(found.untrusted).toBeGreaterThan(0);
    expect(found.warning).toContain(`For ${found.untrusted} of 10 examples the corrected form cannot be trusted`);
    const plainly = await leaveOneOut(own.model, own.posterior, batches(own.data, 4), { form: 'plain' });
    expect(Array.from(found.losses)).toEqual(Array.from(plainly.losses));
    expect(found.untrusted).toBe(plainly.untrusted);
    await expectRejection(
      leaveOneOut(own.model, own.posterior, batches(own.data, 4), { form: 'corrected' }),
      'NotPositiveDefinite',
      {
        field: 'form',
      },
    );
  });

  it('makes V up to ten times as wide and no more where it is trusted, and without bound otherwise', async () => {
    const model = chain([1], { useBias: false, inputs: 1 });
    // Two examples of one weight: v = x² / (Σ x² + τ), and the corrected v is x² / (x₂² + τ).
    const widening = async (other: number, form?: 'corrected') => {
      const data = { x: tf.tensor2d([[1], [other]]), y: tf.tensor2d([[0], [0]]) };
      const factors = await factorsOf(model, gaussian(), { x: [data.x], y: data.y }, full());
      const posterior = await posteriorFrom(factors, { priorPrecision: 1e-4 });
      const found = await leaveOneOut(model, posterior, batches(data, 2), form === undefined ? {} : { form });
      return { ...found, ratio: (found.covariance[0]?.[0] as number) * (1 + other ** 2 + 1e-4) };
    };
    // 1 − λ v = (x₂² + τ) / (1 + x₂² + τ) is 0.1 at x₂² + τ = 1/9.
    const [inside, outside] = [await widening(0.34), await widening(0.33)];
    expect([inside.form, inside.untrusted, outside.form, outside.untrusted]).toEqual(['corrected', 0, 'plain', 1]);
    expect(inside.ratio).toBeCloseTo((1 + 0.34 ** 2) / 0.34 ** 2, 1);
    expect(outside.ratio).toBeCloseTo(1, 4);
    const asked = await widening(0.01, 'corrected');
    expect([asked.form, asked.untrusted]).toEqual(['corrected', 1]);
    expect(asked.ratio).toBeGreaterThan(1000);
  });
});

describe('refuses', () => {
  let own: Case;
  beforeAll(async () => {
    own = await caseOf(categorical());
  });
  const of = (x: tf.Tensor, y: tf.Tensor, weights?: tf.Tensor1D) =>
    leaveOneOut(own.model, own.posterior, batches({ x, y, ...(weights && { weights }) }, 4));

  it.each<[string, object, LaplaceErrorKind, string]>([
    ['an unknown form', { form: 'exact' }, 'InvalidOption', 'form'],
    ['an unknown option', { link: 'probit' }, 'InvalidOption', 'link'],
    ['a predictive that is not linearised', { predictive: weightSampling() }, 'InvalidOption', 'predictive'],
    ['a budget that is too small', { memoryBudget: 100 }, 'InvalidOption', 'memoryBudget'],
  ])('%s', async (_, options, kind, field) => {
    await expectRejection(leaveOneOut(own.model, own.posterior, batches(own.data, 4), options), kind, { field });
  });

  it('no batch, data in place of batches, and labels that do not fit', async () => {
    await expectRejection(leaveOneOut(own.model, own.posterior, []), 'InvalidOption', { field: 'training' });
    await expectRejection(leaveOneOut(own.model, own.posterior, own.data as never), 'InvalidOption', { field: 'training' });
    await expectRejection(of(own.data.x, tf.fill([10, 3], 2)), 'InvalidLabels', {
      field: 'y',
      message: expect.stringContaining('training batch 0'),
    });
    await expectRejection(of(own.data.x, tf.fill([10, 3], Number.NaN)), 'NotFinite', { field: 'y' });
  });

  it('inputs that are not finite, and weights out of range', async () => {
    await expectRejection(of(tf.fill([10, 3], Number.NaN), own.data.y), 'NotFinite', { field: 'x' });
    await expectRejection(of(own.data.x, own.data.y, tf.fill([10], -1)), 'InvalidInput', { field: 'weights' });
  });

  it('what is not finite in either form', async () => {
    const { model, posterior, data } = await caseOf(poisson());
    // The rates e^(f + v/2) overflow.
    const wide = right(withPrior(posterior, 1e-6));
    await expectRejection(
      leaveOneOut(model, wide, batches(data, 4), { predictive: linearised({ temperature: 1e6 }) }),
      'NotFinite',
    );
  });

  it('a likelihood without a closed predictive', async () => {
    const model = chain([4, 3]);
    const { x, y } = dataFor(model, gaussian(), 8);
    const posterior = await posteriorFrom(await factorsOf(model, threeSquares, { x, y }), {});
    await expectRejection(leaveOneOut(model, posterior, batches({ x: x[0] as tf.Tensor, y }, 4)), 'InvalidOption', {
      field: 'likelihood',
    });
  });
});

it('leaves nothing on the device, whether it succeeds or fails, and tells its progress', async () => {
  const { model, posterior, data } = await caseOf(categorical());
  const done: number[] = [];
  const options = { onProgress: (event: { readonly done: number }) => void done.push(event.done) };
  await expectNoLeak(() => leaveOneOut(model, posterior, batches(data, 4), options));
  expect(done.slice(0, 3)).toEqual([1, 2, 3]);
  const bad = { x: data.x, y: tf.scalar(1) };
  await expectNoLeak(() => expectRejection(leaveOneOut(model, posterior, [...batches(data, 4), bad]), 'InvalidLabels'));
  const none = { x: tf.fill([10, 3], Number.NaN), y: data.y };
  await expectNoLeak(() => expectRejection(leaveOneOut(model, posterior, [none]), 'NotFinite'));
});
