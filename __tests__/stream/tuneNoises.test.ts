/** `tune` with a noise variance for each output: a fixed point that predictions confirm, known noise that is found, and errors. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of } from 'rxjs';
import {
  batches,
  type Curvature,
  functionSampling,
  gaussian,
  kfac,
  type Likelihood,
  linearised,
  maximiseEvidence,
  type Posterior,
  type Predictive,
  perStep,
  type Regression,
  type Tuning,
  type TuningInput,
  tune,
  weightSampling,
  withNoiseVariance,
} from 'tfjs-laplace';
import { turn } from '../../src/turn.js';
import { factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';

/** The noise that the labels have, in outputs of a network that is taken to be the truth. */
const TRUE = [0.05, 2];
const [TRAINING, HELD] = [60, 300];

interface Case {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  readonly x: tf.Tensor;
  readonly y: tf.Tensor2D;
  readonly targets: number[][];
}

interface Wish {
  readonly rows: number;
  readonly held: number;
  readonly noise: ReadonlyArray<number>;
  /** Whether the network has a hidden layer beside that of the chain. */
  readonly hidden: boolean;
}

async function caseOf(
  curvature: Curvature = kfac({ noise: 'perOutput' }),
  noiseVariance: number | number[] = 0.5,
  { rows, held: heldRows, noise, hidden }: Wish = { rows: TRAINING, held: HELD, noise: TRUE, hidden: false },
): Promise<Case> {
  const model = hidden
    ? withWeights(
        functional([3], (x) => on(dense(2, { activation: 'linear' }), on(dense(20, { activation: 'tanh' }), x))),
        7,
      )
    : chain([4, 2]);
  const next = normalSource(11);
  const labelled = (N: number, seed: number) => {
    const x = inputsFor(model, N, seed)[0] as tf.Tensor;
    const f = (model.predict(x) as tf.Tensor2D).arraySync();
    const targets = f.map((row) => row.map((v, c) => v + Math.sqrt(noise[c] as number) * next()));
    return { x, y: tf.tensor2d(targets), targets };
  };
  const [training, held] = [labelled(rows, 3), labelled(heldRows, 4)];
  const factors = await factorsOf(model, gaussian({ noiseVariance }), { x: [training.x], y: training.y }, curvature, 20);
  return { model, posterior: await posteriorFrom(factors, { priorPrecision: 1 }), ...held };
}

const heldOut = ({ x, y }: Pick<Case, 'x' | 'y'>) => batches({ x, y }, 100);
const over = ['precision', 'noiseVariances'] as const;
const tunedOf = (own: Case, predictive: Predictive = linearised(), more: TuningInput = {}): Promise<Tuning> =>
  tune(own.model, own.posterior, heldOut(own), { over: [...over], ...more }, { predictive });

const noisesOf = (noiseVariance: unknown): number[] => [...(noiseVariance as number[])];

/** −log p of each label of one output, if its total variance were κ times as large. */
const nllOfTotal = ({ mean, totalVariance }: Regression, targets: number[][], c: number, kappa: number): number =>
  targets.reduce((sum, row, i) => {
    const variance = kappa * (totalVariance[i]?.[c] as number);
    return sum + 0.5 * (Math.log(2 * Math.PI * variance) + ((row[c] as number) - (mean[i]?.[c] as number)) ** 2 / variance);
  }, 0) / targets.length;

it('finds total variances that no other factor between the outputs suits better, as predict has them', async () => {
  const own = await caseOf();
  const tuned = await tunedOf(own);
  const found = (await predictOne(own.model, tuned.posterior, tuned.predictive, own.x)) as Regression;
  expect(nllOfTotal(found, own.targets, 0, 1) + nllOfTotal(found, own.targets, 1, 1)).toBeCloseTo(tuned.chosen.criterion, 5);
  // The rounds end when the two factors agree to a hundredth.
  for (const kappa of [0.98, 1.02]) {
    const other = nllOfTotal(found, own.targets, 0, kappa) + nllOfTotal(found, own.targets, 1, 1 / kappa);
    expect(other).toBeGreaterThan(tuned.chosen.criterion);
  }
  expect(tuned.posterior.likelihood).toEqual(gaussian({ noiseVariance: noisesOf(tuned.chosen.noiseVariance) }));
  // N labels tell log σ² to √(2/N).
  TRUE.forEach((v, c) => {
    const log = Math.log((tuned.chosen.noiseVariance as number[])[c] as number);
    expect(Math.abs(log - Math.log(v))).toBeLessThan(5 * Math.sqrt(2 / HELD));
  });
});

it('is better than one factor for all outputs, and no worse than the network with the noise of each', async () => {
  const own = await caseOf();
  const [each, shared] = [await tunedOf(own), await tune(own.model, own.posterior, heldOut(own))];
  expect(each.chosen.criterion).toBeLessThan(shared.chosen.criterion - 0.1);
  const f = (own.model.predict(own.x) as tf.Tensor2D).arraySync();
  const errors = [0, 1].map(
    (c) => own.targets.reduce((sum, row, i) => sum + ((row[c] as number) - (f[i]?.[c] as number)) ** 2, 0) / HELD,
  );
  expect(relativeError(noisesOf(each.network.fitted.noiseVariance), errors)).toBeLessThan(1e-4);
  expect(noisesOf(each.network.plain.noiseVariance)).toEqual([0.5, 0.5].map((v) => expect.closeTo(v, 12)));
  expect(each.chosen.criterion).toBeLessThan(each.network.fitted.criterion);
  expect(each.predictive.temperature).toBe(1);
});

/** As it was, but with few rows to train on, and labels whose noise is the given one. */
it.each([
  ['an output with hardly any noise', 20, [1e-4, 1]],
  ['an output with hardly any noise, and more rows', 100, [1e-4, 1]],
  ['little noise', 20, [0.02, 0.5]],
  ['little noise, and more rows', 100, [0.02, 0.5]],
] as const)('is no worse than one factor, nor than the network: %s', async (_, rows, noise) => {
  const own = await caseOf(kfac({ noise: 'perOutput' }), 0.5, { rows, noise, held: 150, hidden: true });
  const [each, shared] = [await tunedOf(own), await tune(own.model, own.posterior, heldOut(own))];
  expect(each.chosen.criterion).toBeLessThan(shared.chosen.criterion + 1e-6);
  // The network is the truth that the labels come from, so that it may itself be the best. Under the largest precision that is tried, 1e8,
  // the posterior predicts as it does, but for a variance of 1e-8 or so beside that of the noise.
  expect(each.chosen.criterion).toBeLessThan(each.network.fitted.criterion + 1e-6);
});

it('fits the network to the labels in closed form, from however far', async () => {
  for (const noiseVariance of [
    [1e-4, 10],
    [1e-3, 1e-3],
    [100, 1e-5],
  ]) {
    const own = await caseOf(kfac({ noise: 'perOutput' }), noiseVariance);
    const { network } = await tune(own.model, own.posterior, heldOut(own), { over: [...over], precisions: [1] });
    const f = (own.model.predict(own.x) as tf.Tensor2D).arraySync();
    const errors = [0, 1].map(
      (c) => own.targets.reduce((sum, row, i) => sum + ((row[c] as number) - (f[i]?.[c] as number)) ** 2, 0) / HELD,
    );
    expect(relativeError(noisesOf(network.fitted.noiseVariance), errors)).toBeLessThan(1e-4);
    expect(relativeError(noisesOf(network.plain.noiseVariance), noiseVariance)).toBeLessThan(1e-9);
  }
});

it('does not depend on the noise that it begins with', async () => {
  const own = await caseOf();
  const first = await tunedOf(own);
  const elsewhere = right(withNoiseVariance(own.posterior, [3, 0.2]));
  const second = await tunedOf({ ...own, posterior: elsewhere });
  const third = await tunedOf(await caseOf(kfac({ noise: 'perOutput' }), [0.1, 4]));
  for (const other of [second, third])
    expect(relativeError(noisesOf(other.chosen.noiseVariance), noisesOf(first.chosen.noiseVariance))).toBeLessThan(0.05);
});

it('takes the ratio from the evidence if asked to', async () => {
  const own = await caseOf();
  const tuned = await tune(own.model, own.posterior, heldOut(own), { over: [...over], rule: 'evidence' });
  const { noiseVariance, posterior } = right(maximiseEvidence(own.posterior, { noise: 'perOutput' }));
  expect(relativeError(noisesOf(tuned.choices.evidence.noiseVariance), noisesOf(noiseVariance))).toBeLessThan(1e-5);
  expect(tuned.choices.evidence.precision / (posterior.layers[0]?.priorPrecision as number)).toBeCloseTo(1, 4);
});

it.each([
  ['layers', { over: ['layerPrecisions', 'noiseVariances'] }],
  ['the CRPS', { over: ['precision', 'noiseVariances'], criterion: 'crps' }],
  ['given precisions', { over: ['precision', 'noiseVariances'], precisions: [0.1, 1, 10] }],
] as const)('goes with %s', async (_, tuning) => {
  const own = await caseOf();
  const { chosen, network } = await tune(own.model, own.posterior, heldOut(own), tuning as never);
  expect(chosen.criterion).toBeLessThanOrEqual(network.fitted.criterion);
  TRUE.forEach((v, c) => {
    const log = Math.log((chosen.noiseVariance as number[])[c] as number);
    expect(Math.abs(log - Math.log(v))).toBeLessThan(5 * Math.sqrt(2 / HELD));
  });
});

// Draws take a while for each candidate, so there are two.
it.each([functionSampling({ samples: 10 }), weightSampling({ samples: 10 })])('goes with $_tag', async (predictive) => {
  const own = await caseOf();
  const tuned = await tunedOf(own, predictive, { precisions: [0.3, 3] });
  const found = (await predictOne(own.model, tuned.posterior, tuned.predictive, own.x)) as Regression;
  expect(nllOfTotal(found, own.targets, 0, 1) + nllOfTotal(found, own.targets, 1, 1)).toBeCloseTo(tuned.chosen.criterion, 4);
  TRUE.forEach((v, c) => {
    const log = Math.log((tuned.chosen.noiseVariance as number[])[c] as number);
    expect(Math.abs(log - Math.log(v))).toBeLessThan(5 * Math.sqrt(2 / HELD));
  });
});

it('goes with the steps of a sequence', async () => {
  const steps = withWeights(
    functional([4, 2], (x) => on(dense(2, { activation: 'linear' }), on(dense(3), x))),
    7,
  );
  const labelled = (N: number, seed: number) => ({
    x: inputsFor(steps, N, seed)[0] as tf.Tensor,
    y: tf.tensor(take(N * 4 * 2, normalSource(seed)), [N, 4, 2]),
  });
  const likelihood: Likelihood = perStep(gaussian());
  const [{ x, y }, held] = [labelled(20, 3), labelled(30, 5)];
  const posterior = await posteriorFrom(await factorsOf(steps, likelihood, { x: [x], y }, kfac({ noise: 'perOutput' })), {});
  const { chosen } = await tune(steps, posterior, batches(held, 30), { over: [...over] });
  expect(noisesOf(chosen.noiseVariance)).toHaveLength(2);
});

describe('refuses', () => {
  it('a posterior without shares of outputs', async () => {
    await expect(tunedOf(await caseOf(kfac()))).rejects.toMatchObject({
      kind: 'InvalidOption',
      message: expect.stringContaining("kfac({ noise: 'perOutput' })"),
    });
  });
  it('one factor and one for each output at once', async () => {
    const own = await caseOf();
    const both = { over: ['noiseVariance', 'noiseVariances'] as const };
    await expect(tune(own.model, own.posterior, heldOut(own), both as never)).rejects.toMatchObject({
      kind: 'InvalidOption',
      field: 'over',
    });
  });
});

it('leaves nothing on the device, also if nobody waits for it any more', async () => {
  const own = await caseOf();
  const held = heldOut(own);
  await tune(own.model, own.posterior, held, { over: [...over] });
  const { numTensors } = tf.memory();
  await tune(own.model, own.posterior, held, { over: [...over] });
  expect(tf.memory().numTensors).toBe(numTensors);
  let events = 0;
  const onProgress = () => void events++;
  const stream = of(own.posterior).pipe(tune(own.model, held, { over: [...over] }, { onProgress }));
  await lastValueFrom(stream);
  const all = events;
  // In the middle of some later round.
  events = 0;
  await new Promise<void>((resolve) => {
    const subscription = of(own.posterior)
      .pipe(
        tune(
          own.model,
          held,
          { over: [...over] },
          {
            onProgress: () => {
              events++;
              if (events === Math.floor(0.8 * all)) {
                subscription.unsubscribe();
                resolve();
              }
            },
          },
        ),
      )
      .subscribe();
  });
  for (let i = 0; i < 50; i++) await turn();
  expect(events).toBeLessThan(all);
  expect(tf.memory().numTensors).toBe(numTensors);
});
