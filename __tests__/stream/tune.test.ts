/** `tune` against the same candidates one by one, brute force over the scale, and a fine grid of precisions. */
import * as tf from '@tensorflow/tfjs';
import {
  batches,
  bernoulli,
  brierScore,
  type Classification,
  categorical,
  customLikelihood,
  gaussian,
  gaussianNll,
  type Likelihood,
  linearised,
  lowRank,
  nll,
  type Posterior,
  type Regression,
  type Tuning,
  tune,
  withPrior,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';

/** Sums of float32 outputs in another order; losses are logarithms of their probabilities. */
const SAME = 5;

interface Case {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
  readonly targets: number[][];
  readonly tuned: Tuning;
}

/** A network whose posterior is too wide, and held-out data from the labels' own distribution. */
async function caseOf(likelihood: Likelihood, options: Parameters<typeof tune>[3] = {}): Promise<Case> {
  const model = chain([3, 4, 3]);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, 12)), {
    priorPrecision: 0.1,
  });
  const { x: inputs, targets, y } = dataFor(model, likelihood, 40, 77);
  const x = inputs[0] as tf.Tensor;
  return { model, posterior, x, y, targets, tuned: await tune(model, posterior, batches({ x, y }, 16), options) };
}

const labelsOf = (targets: number[][]): number[] => targets.map((row) => row.indexOf(1));

describe('classes', () => {
  let own: Case;
  beforeAll(async () => {
    own = await caseOf(categorical());
  });

  const at = async (precision: number, scale: number, temperature = 1): Promise<number> => {
    const under = right(withPrior(own.posterior, Number.isFinite(precision) ? precision : 1));
    const { probabilities } = (await predictOne(own.model, under, linearised({ scale, temperature }), own.x)) as Classification;
    return right(nll(probabilities, labelsOf(own.targets)));
  };

  it('has the criterion that predict gives for each candidate', async () => {
    expect(own.tuned.candidates.length).toBeGreaterThan(10);
    for (const { precision, scale, criterion } of own.tuned.candidates)
      expect(criterion).toBeCloseTo(await at(precision, scale), SAME);
    expect(own.tuned.network.plain.criterion).toBeCloseTo(await at(1, 1, 0), SAME);
    expect(own.tuned.network.scaled.criterion).toBeCloseTo(await at(1, own.tuned.network.scaled.scale, 0), SAME);
  });

  it('gives each candidate the scale with the least loss and prior together', async () => {
    const N = own.targets.length;
    const { precision, scale } = own.tuned.choices.best;
    const confidence = async (s: number, temperature = 1): Promise<number> => {
      const under = right(withPrior(own.posterior, precision));
      const found = (await predictOne(own.model, under, linearised({ scale: s, temperature }), own.x)) as Classification;
      return found.probabilities.reduce((sum, p) => sum + Math.max(...p), 0) / N;
    };
    const wanted = await confidence(1, 0);
    let [low, high] = [Math.log(1e-3), Math.log(1e3)];
    while (high - low > 1e-5) {
      const middle = (low + high) / 2;
      if ((await confidence(Math.exp(middle))) < wanted) low = middle;
      else high = middle;
    }
    const objective = async (s: number): Promise<number> => N * (await at(precision, s)) + 0.5 * (Math.log(s) - low) ** 2;
    const found = await objective(scale);
    for (const factor of [0.1, 0.5, 0.9, 0.99, 1.01, 1.1, 2, 10]) expect(await objective(scale * factor)).toBeGreaterThan(found);
  });

  it('chooses the widest within a standard error of the best, and the evidence where it is asked to', async () => {
    const { chosen, choices, candidates } = own.tuned;
    const least = Math.min(...candidates.map(({ criterion }) => criterion));
    expect(choices.best.criterion).toBe(least);
    expect(choices.widest.precision).toBeLessThanOrEqual(choices.best.precision);
    expect(chosen.precision).toBe(choices.widest.precision);
    const byEvidence = await tune(own.model, own.posterior, batches({ x: own.x, y: own.y }, 16), { rule: 'evidence' });
    expect(byEvidence.choices.evidence.precision).toBe(choices.evidence.precision);
  });

  it('returns what it chose, ready for predict, and never what is worse than the network', async () => {
    const { posterior, predictive, chosen, network, verdict } = own.tuned;
    const found = (await predictOne(own.model, posterior, predictive, own.x)) as Classification;
    expect(right(nll(found.probabilities, labelsOf(own.targets)))).toBeCloseTo(chosen.criterion, SAME);
    expect(verdict).not.toBe('worse');
    expect(chosen.difference.value).toBeLessThanOrEqual(chosen.difference.standardError);
    expect(Math.min(network.plain.criterion, network.scaled.criterion)).toBe(
      network.plain.difference.value === 0 ? network.plain.criterion : network.scaled.criterion,
    );
    expect(Object.isFrozen(own.tuned)).toBe(true);
  });

  it('is the same however the data are cut', async () => {
    const again = await tune(own.model, own.posterior, batches({ x: own.x, y: own.y }, 7));
    expect(again.candidates.map(({ precision }) => precision)).toEqual(own.tuned.candidates.map(({ precision }) => precision));
    expect(again.chosen.criterion).toBeCloseTo(own.tuned.chosen.criterion, SAME);
  });

  it('minimises the Brier score if asked to', async () => {
    const tuned = await tune(own.model, own.posterior, batches({ x: own.x, y: own.y }, 16), { criterion: 'brier', rule: 'best' });
    const found = (await predictOne(own.model, tuned.posterior, tuned.predictive, own.x)) as Classification;
    expect(right(brierScore(found.probabilities, labelsOf(own.targets)))).toBeCloseTo(tuned.chosen.criterion, SAME);
    expect(tuned.chosen.criterion).toBeLessThanOrEqual(Math.min(...tuned.candidates.map(({ criterion }) => criterion)));
  });
});

it('takes independent labels', async () => {
  const { model, posterior, x, targets, tuned } = await caseOf(bernoulli(), { rule: 'best' });
  const found = (await predictOne(model, posterior, tuned.predictive, x)) as Classification;
  expect(found.probabilities).toHaveLength(targets.length);
  const own = (await predictOne(model, tuned.posterior, tuned.predictive, x)) as Classification;
  const loss = own.probabilities.map((row, i) =>
    Array.from(row, (p, c) => -Math.log(targets[i]?.[c] === 1 ? p : 1 - p)).reduce((a, b) => a + b, 0),
  );
  expect(loss.reduce((a, b) => a + b, 0) / loss.length).toBeCloseTo(tuned.chosen.criterion, SAME);
});

it('finds the precision of a regression that a fine grid finds', async () => {
  const { model, posterior, x, targets, tuned } = await caseOf(gaussian({ noiseVariance: 0.5 }));
  const at = async (precision: number): Promise<number> => {
    const found = (await predictOne(model, right(withPrior(posterior, precision)), linearised(), x)) as Regression;
    return right(gaussianNll({ targets, mean: found.mean, variance: found.totalVariance }));
  };
  expect(tuned.chosen.scale).toBe(1);
  expect(tuned.choices.best.criterion).toBeCloseTo(await at(tuned.choices.best.precision), SAME);
  const grid = Array.from({ length: 49 }, (_, i) => 10 ** (-4 + i / 4));
  const values = await Promise.all(grid.map(at));
  // The search ends at an eighth of a decade, the grid has a quarter.
  expect(tuned.choices.best.criterion).toBeLessThan(Math.min(...values) + 1e-4);
});

it('adds up the outputs of a model, and scales those with classes', async () => {
  const { model } = twoHeads();
  const { x, y } = headData(model, 8);
  const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }), { priorPrecision: 0.5 });
  const tuned = await tune(model, posterior, batches(headData(model, 20, 9), 8));
  expect(tuned.candidates.every(({ criterion }) => Number.isFinite(criterion))).toBe(true);
  expect(new Set(tuned.candidates.map(({ scale }) => scale)).size).toBeGreaterThan(1);
});

describe('refuses', () => {
  const model = chain([3, 4, 3]);
  const data = dataFor(model, categorical(), 12);
  const held = { x: data.x[0] as tf.Tensor, y: data.y };
  let posterior: Posterior;
  beforeAll(async () => {
    posterior = await posteriorFrom(await factorsOf(model, categorical(), data), {});
  });

  it('no batch, or a single example', async () => {
    await expectRejection(tune(model, posterior, []), 'InvalidOption', { field: 'heldOut' });
    const one = { x: tf.slice(held.x, [0, 0], [1, -1]), y: tf.slice(held.y, [0, 0], [1, -1]) };
    await expectRejection(tune(model, posterior, batches(one, 4)), 'Empty', { field: 'heldOut', found: '1 example' });
  });

  it('data in place of batches, weights of examples, and labels of another shape', async () => {
    await expectRejection(tune(model, posterior, held as never), 'InvalidOption', { field: 'heldOut' });
    const weighted = batches({ ...held, weights: tf.ones([12]) }, 4);
    await expectRejection(tune(model, posterior, weighted), 'InvalidInput', { field: 'weights' });
    await expectRejection(tune(model, posterior, [{ x: held.x, y: tf.zeros([3, 9]) }]), 'InvalidLabels');
  });

  it('a likelihood without a closed predictive, and a structure without directions', async () => {
    const custom = customLikelihood({
      name: 'own',
      nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1),
      hessianRoot: (f) => tf.tile(tf.reshape(tf.mul(Math.SQRT2, tf.eye(3)), [3, 1, 3]), [1, f.shape[0], 1]),
      mean: (f) => f,
      variance: (f) => tf.onesLike(f),
    });
    const regression = dataFor(model, gaussian(), 12);
    const own = await posteriorFrom(await factorsOf(model, custom, regression), {});
    await expectRejection(tune(model, own, batches({ x: held.x, y: regression.y }, 4)), 'InvalidOption', { field: 'likelihood' });
  });

  it('unknown options', async () => {
    await expectRejection(tune(model, posterior, batches(held, 4), { criterium: 'nll' } as object), 'InvalidOption');
    await expectRejection(tune(model, posterior, batches(held, 4), { rule: 'narrowest' } as object), 'InvalidOption', {
      field: 'rule',
    });
  });

  it('a budget that is too small', async () => {
    await expectRejection(tune(model, posterior, batches(held, 4), { memoryBudget: 100 }), 'InvalidOption', {
      field: 'memoryBudget',
    });
  });
});

it('leaves nothing on the device, whether it succeeds or fails, and tells its progress', async () => {
  const { model, posterior, x, y } = await caseOf(categorical());
  const done: number[] = [];
  await expectNoLeak(() => tune(model, posterior, batches({ x, y }, 16), { onProgress: (event) => done.push(event.done) }));
  expect(done.slice(0, 3)).toEqual([1, 2, 3]);
  const bad = { x, y: tf.scalar(1) };
  await expectNoLeak(() => expectRejection(tune(model, posterior, [...batches({ x, y }, 16), bad]), 'InvalidLabels'));
});

it('goes on with lowRank over the last layer', async () => {
  const model = chain([3, 4, 3]);
  const data = dataFor(model, categorical(), 12);
  const posterior = await posteriorFrom(await factorsOf(model, categorical(), data, lowRank({ rank: 1 })), {});
  const tuned = await tune(model, posterior, batches({ x: data.x[0] as tf.Tensor, y: data.y }, 6));
  expect(Number.isFinite(tuned.chosen.criterion)).toBe(true);
});
