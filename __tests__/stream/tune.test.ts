/** `tune` against the same candidates one by one, brute force over the scale, and a fine grid of precisions. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of, type Subscription } from 'rxjs';
import {
  batches,
  bernoulli,
  brierScore,
  type Classification,
  calibration,
  categorical,
  full,
  gaussian,
  gaussianNll,
  kfac,
  type LaplaceErrorKind,
  type Likelihood,
  linearised,
  lowRank,
  maximiseEvidence,
  nll,
  type Posterior,
  type Predictive,
  perLayer,
  poisson,
  type Regression,
  recipe,
  type TuningInput,
  tune,
  weightSampling,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { countNll } from 'tfjs-laplace/extend';
import { threeSquares } from '../support/custom.js';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { inverse } from '../support/math/dense64.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak, turn } from '../support/memory.js';
import { type Case, caseOf, labelsOf, SAME } from '../support/tuning.js';

const at = (rows: ReadonlyArray<ArrayLike<number>>, i: number, j: number): number => rows[i]?.[j] as number;

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
    expect(own.tuned.network.fitted.criterion).toBeCloseTo(await at(1, own.tuned.network.fitted.scale, 0), SAME);
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
    // No wider than a thirtieth of the evidence's, even where the best itself is.
    const floor = choices.evidence.precision / 30;
    expect(choices.widest.precision).toBeGreaterThanOrEqual(Math.min(floor, choices.best.precision) * (1 - 1e-9));
    expect(choices.widest.precision).toBeLessThanOrEqual(Math.max(choices.best.precision, 2 * floor));
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
    expect(Math.min(network.plain.criterion, network.fitted.criterion)).toBe(
      network.plain.difference.value === 0 ? network.plain.criterion : network.fitted.criterion,
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

/** aᵀ Σ a. */
const quadratic = (covariance: number[][], a: number[]): number =>
  covariance.reduce((sum, row, i) => sum + (a[i] as number) * row.reduce((own, v, j) => own + v * (a[j] as number), 0), 0);

describe('numbers', () => {
  const likelihood = gaussian({ noiseVariance: 0.5 });
  const scoreOf =
    ({ model, x, targets }: Case) =>
    async (posterior: Posterior, predictive: Predictive = linearised()): Promise<number> => {
      const found = (await predictOne(model, posterior, predictive, x)) as Regression;
      return right(gaussianNll({ targets, mean: found.mean, variance: found.totalVariance }));
    };

  it('finds the precision that a fine grid finds', async () => {
    const own = await caseOf(likelihood, { over: ['precision'] });
    const { best } = own.tuned.choices;
    const at = (precision: number) => scoreOf(own)(right(withPrior(own.posterior, precision)));
    expect([best.scale, best.temperature, best.noiseVariance]).toEqual([1, 1, undefined]);
    expect(best.criterion).toBeCloseTo(await at(best.precision), SAME);
    const grid = Array.from({ length: 49 }, (_, i) => 10 ** (-4 + i / 4));
    const values = await Promise.all(grid.map(at));
    // The search ends at an eighth of a decade, the grid has a quarter.
    expect(best.criterion).toBeLessThan(Math.min(...values) + 1e-4);
  });

  it.each(['exact', 'empirical'] as const)('chooses the noise variance with it: %s', async (fisher) => {
    const own = await caseOf(likelihood, {}, kfac({ fisher }));
    const { tuned, posterior } = own;
    const score = scoreOf(own);
    const at = (precision: number, noise: number) =>
      score(right(withNoiseVariance(right(withPrior(posterior, precision)), noise)));
    for (const { precision, noiseVariance, criterion } of tuned.candidates) {
      expect(criterion).toBeCloseTo(await at(precision, noiseVariance as number), SAME);
    }
    expect(await score(tuned.posterior, tuned.predictive)).toBeCloseTo(tuned.chosen.criterion, SAME);
    const { precision, noiseVariance } = tuned.choices.best;
    for (const [p, n] of [
      [1, 0.9],
      [1, 1.1],
      [0.3, 1],
      [3, 1],
      [3, 0.8],
      [0.3, 1.2],
    ] as const) {
      // The precisions have steps of an eighth of a decade.
      expect(await at(precision * p, (noiseVariance as number) * n)).toBeGreaterThan(tuned.choices.best.criterion - 1e-3);
    }
    expect(tuned.candidates.every(({ scale }) => scale === 1)).toBe(true);
    // The trained network with its noise estimated from the held-out data.
    const f = (own.model.predict(own.x) as tf.Tensor2D).arraySync().flat();
    const residuals = own.targets.flat().map((y, i) => y - (f[i] as number));
    const mean = residuals.reduce((sum, r) => sum + r * r, 0) / residuals.length;
    expect((tuned.network.fitted.noiseVariance as number) / mean).toBeCloseTo(1, 4);
  });

  it('takes both from the evidence if asked to', async () => {
    const own = await caseOf(likelihood, { rule: 'evidence' });
    const { posterior, noiseVariance } = right(maximiseEvidence(own.posterior, { noise: 'estimated' }));
    const { evidence } = own.tuned.choices;
    expect(evidence.precision / (posterior.layers[0]?.priorPrecision as number)).toBeCloseTo(1, 6);
    expect((evidence.noiseVariance as number) / (noiseVariance as number)).toBeCloseTo(1, 6);
    expect(evidence.criterion).toBeCloseTo(await scoreOf(own)(posterior), SAME);
  });

  it('is the closed-form optimum of a linear model', async () => {
    const model = chain([1]);
    const data = dataFor(model, gaussian(), 15);
    const posterior = await posteriorFrom(await factorsOf(model, gaussian(), data, full()), {});
    const held = dataFor(model, gaussian(), 25, 31);
    const tuned = await tune(model, posterior, batches({ x: held.x[0] as tf.Tensor, y: held.y }, 10), { rule: 'best' });
    // y ~ N(f, σ² + σ² aᵀ (Aᵀ A + τ σ² I)⁻¹ a): brute force over both, in float64.
    const rows = (x: tf.Tensor): number[][] => (x.arraySync() as number[][]).map((a) => [...a, 1]);
    const [X, held64] = [rows(data.x[0] as tf.Tensor), rows(held.x[0] as tf.Tensor)];
    const f = (model.predict(held.x[0] as tf.Tensor) as tf.Tensor).arraySync() as number[][];
    const at = (tau: number, noise: number): number => {
      const gram = X[0]?.map((_, i) =>
        X[0]?.map((__, j) => X.reduce((s, a) => s + (a[i] as number) * (a[j] as number), 0) / noise + (i === j ? tau : 0)),
      );
      const covariance = inverse(gram as number[][]);
      const values = held64.map((a, i) => {
        const v = noise + quadratic(covariance, a);
        return 0.5 * (Math.log(2 * Math.PI * v) + ((held.targets[i]?.[0] as number) - (f[i]?.[0] as number)) ** 2 / v);
      });
      return values.reduce((s, v) => s + v, 0) / values.length;
    };
    const { precision, noiseVariance, criterion } = tuned.chosen;
    expect(criterion).toBeCloseTo(at(precision, noiseVariance as number), SAME);
    let least = Number.POSITIVE_INFINITY;
    for (let t = -4; t <= 8; t += 0.125) for (let n = -4; n <= 2; n += 0.0625) least = Math.min(least, at(10 ** t, 10 ** n));
    expect(criterion).toBeLessThan(least + 1e-3);
  });
});

describe('counts', () => {
  it('are judged by a negative binomial with the moments of predict, which for the network is its own distribution', async () => {
    const own = await caseOf(poisson());
    const N = own.targets.length;
    for (const { precision, criterion } of own.tuned.candidates) {
      const under = right(withPrior(own.posterior, precision));
      const { mean, totalVariance } = (await predictOne(own.model, under, linearised(), own.x)) as Regression;
      const sum = own.targets.flatMap((row, i) => row.map((y, j) => countNll(at(mean, i, j), at(totalVariance, i, j), y)));
      expect(criterion).toBeCloseTo(sum.reduce((a, b) => a + b, 0) / N, SAME);
    }
    const f = (own.model.predict(own.x) as tf.Tensor2D).arraySync();
    const logFactorial = (y: number): number => (y < 2 ? 0 : Math.log(y) + logFactorial(y - 1));
    const nats = own.targets.flatMap((row, i) => row.map((y, j) => Math.exp(at(f, i, j)) - y * at(f, i, j) + logFactorial(y)));
    expect(own.tuned.network.plain.criterion).toBeCloseTo(nats.reduce((a, b) => a + b, 0) / N, SAME);
  });
});

describe('layer by layer', () => {
  it('is not worse than one precision, and no layer gains by another step', async () => {
    const one = await caseOf(categorical(), { rule: 'best' });
    const own = await caseOf(categorical(), { over: ['layerPrecisions', 'scale'], rule: 'best' });
    const { chosen, choices, posterior } = own.tuned;
    expect(choices.best.criterion).toBeLessThanOrEqual(one.tuned.choices.best.criterion + 1e-9);
    expect(Object.keys(chosen.precisions ?? {})).toEqual(posterior.layers.map(({ name }) => name));
    const score = async (precisions: Readonly<Record<string, number>>): Promise<number> => {
      const alone = await tune(
        own.model,
        right(withPrior(own.posterior, perLayer(precisions))),
        batches({ x: own.x, y: own.y }, 16),
        {
          over: ['scale'],
        },
      );
      return alone.choices.best.criterion;
    };
    const found = choices.best.precisions as Readonly<Record<string, number>>;
    expect(await score(found)).toBeCloseTo(choices.best.criterion, SAME);
    for (const [layer, tau] of Object.entries(found)) {
      for (const factor of [10 ** -0.125, 10 ** 0.125]) {
        const moved = tau * factor;
        if (moved < 1e-4 || moved > 1e8) continue;
        expect(await score({ ...found, [layer]: moved })).toBeGreaterThan(choices.best.criterion - 1e-6);
      }
    }
  });

  it('takes the layers from the evidence if asked to', async () => {
    const own = await caseOf(categorical(), { over: ['layerPrecisions', 'scale'], rule: 'evidence' });
    const { posterior } = right(maximiseEvidence(own.posterior, { per: 'layer' }));
    const { precisions } = own.tuned.choices.evidence;
    for (const { name, priorPrecision } of posterior.layers)
      expect((precisions?.[name] as number) / priorPrecision).toBeCloseTo(1, 6);
  });
});

describe('one candidate', () => {
  it('is withPrior and a pass', async () => {
    const own = await caseOf(categorical(), { over: ['precision'], precisions: [7] });
    expect(own.tuned.candidates).toHaveLength(1);
    const under = right(withPrior(own.posterior, 7));
    const found = (await predictOne(own.model, under, linearised(), own.x)) as Classification;
    expect(own.tuned.candidates[0]?.criterion).toBeCloseTo(right(nll(found.probabilities, labelsOf(own.targets))), SAME);
    expect(own.tuned.candidates[0]?.criteria.brier).toBeCloseTo(
      right(brierScore(found.probabilities, labelsOf(own.targets))),
      SAME,
    );
    expect(own.tuned.candidates[0]?.criteria.ece).toBeCloseTo(
      right(calibration(found.probabilities, labelsOf(own.targets))).ece,
      SAME,
    );
  });

  it('is the posterior itself where no precision is chosen, and its predictive where nothing else is', async () => {
    const own = await caseOf(categorical(), { over: ['temperature'], rule: 'best' });
    expect(own.tuned.candidates.map(({ precision }) => precision)).toEqual([own.posterior.layers[0]?.priorPrecision]);
    const at = async (temperature: number): Promise<number> => {
      const found = (await predictOne(own.model, own.posterior, linearised({ temperature }), own.x)) as Classification;
      return right(nll(found.probabilities, labelsOf(own.targets)));
    };
    const { temperature, criterion } = own.tuned.choices.best;
    expect(criterion).toBeCloseTo(await at(temperature), SAME);
    for (const factor of [0.5, 0.9, 1.1, 2]) expect(await at(temperature * factor)).toBeGreaterThan(criterion - 1e-5);
  });

  it('keeps what the predictive says and nobody chooses', async () => {
    const own = await caseOf(categorical());
    const predictive = linearised({ scale: 2, temperature: 0.5, link: 'multiclassProbit' });
    const tuned = await tune(
      own.model,
      own.posterior,
      batches({ x: own.x, y: own.y }, 16),
      { over: ['precision'] },
      { predictive },
    );
    const [first] = tuned.candidates;
    const under = right(withPrior(own.posterior, first?.precision as number));
    const found = (await predictOne(own.model, under, predictive, own.x)) as Classification;
    expect(first?.criterion).toBeCloseTo(right(nll(found.probabilities, labelsOf(own.targets))), SAME);
    expect([first?.scale, first?.temperature]).toEqual([2, 0.5]);
  });
});

it("minimises a criterion of one's own, which sees what evaluate takes", async () => {
  const own = await caseOf(categorical(), {
    criterion: ({ output, predictions, labels }) => {
      expect(output).toMatch(/^dense/);
      if (predictions._tag !== 'classification') throw new Error('classes');
      return predictions.probabilities.map((p, i) => 1 - (p[labels[i] as number] as number));
    },
  });
  const { candidates, choices } = own.tuned;
  const labels = labelsOf(own.targets);
  for (const { precision, scale, criterion } of candidates) {
    const under = right(withPrior(own.posterior, precision));
    const found = (await predictOne(own.model, under, linearised({ scale }), own.x)) as Classification;
    const loss = found.probabilities.reduce((sum, p, i) => sum + 1 - (p[labels[i] as number] as number), 0) / labels.length;
    expect(criterion).toBeCloseTo(loss, SAME);
  }
  expect(choices.best.criterion).toBe(Math.min(...candidates.map(({ criterion }) => criterion)));
});

it('ends its work, and leaves nothing, when nobody waits any more', async () => {
  const { model, posterior, x, y } = await caseOf(categorical());
  for (const enough of [1, 5]) {
    let events = 0;
    let own: Subscription | undefined;
    await expectNoLeak(async () => {
      events = 0;
      await new Promise<void>((resolve) => {
        const onProgress = (): void => {
          events++;
          if (events === enough) resolve();
        };
        own = of(posterior)
          .pipe(tune(model, batches({ x, y }, 16), {}, { onProgress }))
          .subscribe();
      });
      own?.unsubscribe();
      for (let i = 0; i < 50; i++) await turn();
    });
    // Three batches and thirteen candidates or more would follow. A turn may pass before it is heard.
    expect(events).toBeLessThan(enough + 3);
  }
});

it('is an operator on posteriors, and takes a recipe', async () => {
  const own = await caseOf(categorical(), { rule: 'best' });
  const held = batches({ x: own.x, y: own.y }, 16);
  const plan = recipe({ likelihood: categorical(), tuning: { rule: 'best' }, predictive: linearised({ seed: 3 }) });
  const tuned = await lastValueFrom(of(own.posterior).pipe(tune(own.model, held, plan)));
  expect(tuned.chosen).toEqual(own.tuned.chosen);
  expect(tuned.predictive).toMatchObject({ seed: 3 });
  expect(() => tune(own.model, [], {})).toThrow(/heldOut/);
});

it('finds the same where the Jacobians do not stay on the device', async () => {
  const own = await caseOf(categorical());
  const held = batches({ x: own.x, y: own.y }, 16);
  let calls = 0;
  const sources = held.map((batch) => () => {
    calls++;
    return typeof batch === 'function' ? batch() : batch;
  });
  // Enough for a few examples at a time: 40 examples' Jacobians take 40 · (4 + 5 + 2 · 12) · 4 bytes or more.
  const tuned = await tune(own.model, own.posterior, sources, {}, { memoryBudget: 12000 });
  expect(calls).toBeGreaterThan(2 * held.length);
  expect(tuned.candidates.map(({ precision }) => precision)).toEqual(own.tuned.candidates.map(({ precision }) => precision));
  expect(tuned.chosen.criterion).toBeCloseTo(own.tuned.chosen.criterion, SAME);
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
  it.each<[string, Likelihood, TuningInput, LaplaceErrorKind, string]>([
    ['a scale of numbers', gaussian(), { over: ['precision', 'scale'] }, 'InvalidOption', 'over'],
    ['a noise variance of classes', categorical(), { over: ['noiseVariance'] }, 'InvalidInput', 'likelihood'],
    ['two kinds of precisions', categorical(), { over: ['precision', 'layerPrecisions'] }, 'InvalidOption', 'over'],
    ['a calibration error of numbers', gaussian(), { criterion: 'ece' }, 'InvalidOption', 'criterion'],
    ['a crps of classes', categorical(), { criterion: 'crps' }, 'InvalidOption', 'criterion'],
  ])('%s', async (_, likelihood, tuning, kind, field) => {
    await expectRejection(caseOf(likelihood, tuning), kind, { field });
  });

  it('a predictive that is the trained network', async () => {
    const { model, posterior, x, y } = await caseOf(categorical());
    for (const predictive of [weightSampling({ temperature: 0 }), linearised({ temperature: 0 })]) {
      await expectRejection(tune(model, posterior, batches({ x, y }, 16), {}, { predictive }), 'InvalidOption', {
        field: 'predictive.temperature',
      });
    }
  });

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

  it('labels that are out of range or not finite, and inputs that are not finite', async () => {
    const of = (x: tf.Tensor, y: tf.Tensor) => tune(model, posterior, batches({ x, y }, 4));
    const message = expect.stringContaining('held-out batch 0');
    await expectRejection(of(held.x, tf.fill([12], 3, 'int32')), 'InvalidLabels', { field: 'y', message });
    await expectRejection(of(held.x, tf.fill([12, 3], 2)), 'InvalidLabels', { field: 'y', message });
    await expectRejection(of(held.x, tf.fill([12, 3], Number.NaN)), 'NotFinite', { field: 'y', message });
    await expectRejection(of(tf.fill(held.x.shape, Number.NaN), held.y), 'NotFinite');
  });

  it('a likelihood without a closed predictive, and a structure without directions', async () => {
    const regression = dataFor(model, gaussian(), 12);
    const own = await posteriorFrom(await factorsOf(model, threeSquares, regression), {});
    await expectRejection(tune(model, own, batches({ x: held.x, y: regression.y }, 4)), 'InvalidOption', { field: 'likelihood' });
  });

  it('unknown options', async () => {
    await expectRejection(tune(model, posterior, batches(held, 4), { criterium: 'nll' } as object), 'InvalidOption');
    await expectRejection(tune(model, posterior, batches(held, 4), { rule: 'narrowest' } as object), 'InvalidOption', {
      field: 'tuning.rule',
    });
  });

  it('a budget that is too small', async () => {
    await expectRejection(tune(model, posterior, batches(held, 4), {}, { memoryBudget: 100 }), 'InvalidOption', {
      field: 'memoryBudget',
    });
  });
});

it('leaves nothing on the device, whether it succeeds or fails, and tells its progress', async () => {
  const { model, posterior, x, y } = await caseOf(categorical());
  const done: number[] = [];
  await expectNoLeak(() => tune(model, posterior, batches({ x, y }, 16), {}, { onProgress: (event) => done.push(event.done) }));
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
