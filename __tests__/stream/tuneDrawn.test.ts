/** `tune` for predictives that draw networks or functions: each candidate has the criterion that `predict` gives with the same draws. */
import type * as tf from '@tensorflow/tfjs';
import { of, type Subscription } from 'rxjs';
import {
  activationSampling,
  batches,
  bernoulli,
  type Classification,
  categorical,
  functionSampling,
  gaussian,
  gaussianNll,
  heteroscedastic,
  type Likelihood,
  lowRank,
  nll,
  type Posterior,
  type Predictive,
  poisson,
  type Regression,
  type TuneOptions,
  tune,
  weightSampling,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { countNll } from 'tfjs-laplace/extend';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak, turn } from '../support/memory.js';
import { caseOf, labelsOf, SAME } from '../support/tuning.js';

const MAKE = { activationSampling, weightSampling, functionSampling } as const;
const KINDS = ['activationSampling', 'weightSampling', 'functionSampling'] as const;
type Kind = (typeof KINDS)[number];

/** A few antithetic draws: all of them are taken for every candidate. */
const of8 = (kind: Kind): Predictive => MAKE[kind]({ samples: 8, seed: 3, design: 'antithetic' });
const under = (kind: Kind, change: { readonly scale?: number; readonly temperature?: number } = {}): Predictive =>
  MAKE[kind]({ samples: 8, seed: 3, design: 'antithetic', ...change });

describe.each(KINDS)('%s', (kind) => {
  it('judges classes with the draws of predict, and chooses their scale', async () => {
    const { model, posterior, x, y, targets } = await caseOf(categorical());
    // One batch, since the noise of activations depends on the batch.
    const held = batches({ x, y }, 40);
    const tuned = await tune(model, posterior, held, { precisions: [0.1, 1, 10, 100] }, { predictive: of8(kind) });
    const criterion = async (own: Posterior, predictive: Predictive): Promise<number> => {
      const found = (await predictOne(model, own, predictive, x)) as Classification;
      return right(nll(found.probabilities, labelsOf(targets)));
    };
    expect(tuned.candidates).toHaveLength(4);
    for (const { precision, scale, criterion: own } of tuned.candidates)
      expect(own).toBeCloseTo(await criterion(right(withPrior(posterior, precision)), under(kind, { scale })), SAME);
    expect(await criterion(tuned.posterior, tuned.predictive)).toBeCloseTo(tuned.chosen.criterion, SAME);
    expect(tuned.predictive).toMatchObject({ _tag: kind, samples: 8, seed: 3, design: 'antithetic' });
    // The scale has the least loss and prior together. The prior is around the scale of the network's own mean confidence.
    const { precision, scale } = tuned.choices.best;
    const best = right(withPrior(posterior, precision));
    const N = targets.length;
    const confidence = async (predictive: Predictive): Promise<number> => {
      const { probabilities } = (await predictOne(model, best, predictive, x)) as Classification;
      return probabilities.reduce((sum, p) => sum + Math.max(...p), 0) / N;
    };
    const wanted = await confidence(under(kind, { temperature: 0 }));
    let [low, high] = [Math.log(1e-2), Math.log(1e2)];
    while (high - low > 1e-3) {
      const middle = (low + high) / 2;
      if ((await confidence(under(kind, { scale: Math.exp(middle) }))) < wanted) low = middle;
      else high = middle;
    }
    const objective = async (s: number): Promise<number> =>
      N * (await criterion(best, under(kind, { scale: s }))) + 0.5 * (Math.log(s) - low) ** 2;
    const found = await objective(scale);
    for (const factor of [0.1, 0.7, 1.4, 10]) expect(await objective(scale * factor)).toBeGreaterThan(found);
  });

  it('finds the temperature, and reports what the draws under it give', async () => {
    const { model, posterior, x, y, targets } = await caseOf(categorical());
    // Outputs that are too sharp want a wider posterior.
    const options = { predictive: under(kind, { scale: 3 }) };
    const tuned = await tune(model, posterior, batches({ x, y }, 40), { over: ['temperature'], rule: 'best' }, options);
    const { temperature, criterion } = tuned.choices.best;
    const at = async (T: number): Promise<number> => {
      const found = (await predictOne(model, posterior, under(kind, { scale: 3, temperature: T }), x)) as Classification;
      return right(nll(found.probabilities, labelsOf(targets)));
    };
    expect(criterion).toBeCloseTo(await at(temperature), SAME);
    // The search ends at a quarter in the logarithm.
    for (const factor of [0.2, 0.75, 1.3, 5]) expect(await at(temperature * factor)).toBeGreaterThan(criterion);
  });

  it.each([gaussian({ noiseVariance: 0.5 }), heteroscedastic(), poisson()])(
    'judges numbers by the moments of predict: $_tag',
    async (likelihood) => {
      const model = chain([4, likelihood._tag === 'heteroscedastic' ? 4 : 3]);
      const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, 12)), {});
      const { x: inputs, y, targets } = dataFor(model, likelihood, 20, 5);
      const x = inputs[0] as tf.Tensor;
      const options: TuneOptions = { predictive: of8(kind) };
      const tuned = await tune(model, posterior, batches({ x, y }, 20), { precisions: [1, 30] }, options);
      for (const { precision, noiseVariance, criterion } of tuned.candidates) {
        const plain = right(withPrior(posterior, precision));
        const own = noiseVariance === undefined ? plain : right(withNoiseVariance(plain, noiseVariance));
        const found = (await predictOne(model, own, of8(kind), x)) as Regression;
        const { mean, totalVariance: variance } = found;
        const counts = mean.map((row, i) =>
          Array.from(row).reduce((sum, m, j) => sum + countNll(m, variance[i]?.[j] as number, targets[i]?.[j] as number), 0),
        );
        const expected =
          likelihood._tag === 'poisson'
            ? counts.reduce((a, b) => a + b, 0) / counts.length
            : right(gaussianNll({ targets, mean, variance }));
        expect(criterion / expected).toBeCloseTo(1, SAME);
      }
    },
  );

  it('chooses the noise variance', async () => {
    const likelihood = gaussian({ noiseVariance: 3 });
    const { model, posterior, x, y, targets } = await caseOf(likelihood);
    const tuned = await tune(model, posterior, batches({ x, y }, 40), { precisions: [1, 30] }, { predictive: of8(kind) });
    const at = async (precision: number, noise: number): Promise<number> => {
      const own = right(withNoiseVariance(right(withPrior(posterior, precision)), noise));
      const { mean, totalVariance: variance } = (await predictOne(model, own, of8(kind), x)) as Regression;
      return right(gaussianNll({ targets, mean, variance }));
    };
    for (const { precision, noiseVariance, criterion } of tuned.candidates) {
      const noise = noiseVariance as number;
      expect(criterion).toBeCloseTo(await at(precision, noise), SAME);
      // The product of τ and σ² is what the candidate holds fixed.
      for (const factor of [0.5, 0.75, 1.3, 2]) expect(await at(precision / factor, noise * factor)).toBeGreaterThan(criterion);
    }
  });

  it('leaves nothing on the device, also when nobody waits any more', async () => {
    const { model, posterior, x, y } = await caseOf(categorical());
    const options = { predictive: of8(kind) };
    await expectNoLeak(() => tune(model, posterior, batches({ x, y }, 16), { precisions: [1, 10] }, options));
    let own: Subscription | undefined;
    await expectNoLeak(async () => {
      await new Promise<void>((resolve) => {
        const onProgress = ({ unit }: { readonly unit: string }): void => {
          if (unit === 'candidates') resolve();
        };
        own = of(posterior)
          .pipe(tune(model, batches({ x, y }, 16), {}, { ...options, onProgress }))
          .subscribe();
      });
      own?.unsubscribe();
      for (let i = 0; i < 100; i++) await turn();
    });
  });
});

it('takes independent labels, and scales the classes beside a regression', async () => {
  const labels = await caseOf(bernoulli(), { precisions: [1, 10] }, undefined, { predictive: of8('weightSampling') });
  expect(labels.tuned.candidates.every(({ criterion }) => Number.isFinite(criterion))).toBe(true);
  const { model } = twoHeads();
  const { x, y } = headData(model, 6);
  const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }, undefined), {});
  const tuned = await tune(model, posterior, [{ x, y }], { precisions: [1, 10] }, { predictive: of8('functionSampling') });
  expect(tuned.chosen.scale).not.toBe(1);
});

it('refuses too few samples for a variance, two spreads at once, and functions without directions', async () => {
  const { model, posterior, x, y } = await caseOf(gaussian());
  const few = { predictive: weightSampling({ samples: 1 }) };
  await expectRejection(tune(model, posterior, batches({ x, y }, 16), {}, few), 'InvalidOption', { field: 'predictive.samples' });
  const both = { over: ['temperature', 'noiseVariance'] } as const;
  const sampled = { predictive: of8('weightSampling') };
  await expectRejection(tune(model, posterior, batches({ x, y }, 16), both, sampled), 'InvalidOption', { field: 'over' });
  const likelihood: Likelihood = categorical();
  const data = dataFor(model, likelihood, 12);
  const low = await posteriorFrom(await factorsOf(model, likelihood, data, lowRank({ rank: 2 })), {});
  const held = batches({ x: data.x[0] as tf.Tensor, y: data.y }, 6);
  const functions = { predictive: of8('functionSampling') };
  await expectRejection(tune(model, low, held, {}, functions), 'UnsupportedLayer');
  const drawn = await tune(model, low, held, { precisions: [1, 10] }, { predictive: of8('weightSampling') });
  expect(Number.isFinite(drawn.chosen.criterion)).toBe(true);
});
