/** Training of several outputs: with a learning rate of 0 the callback's factors are those of a pass over the same data. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import {
  type Curvature,
  categorical,
  everyEpoch,
  gaussian,
  kfac,
  type Likelihood,
  type ObservedBatch,
  type PerOutput,
  perOutput,
} from 'tfjs-laplace';
import { matchLoss, readNetwork } from 'tfjs-laplace/extend';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection } from '../../support/errors.js';
import { expectSameFactors, pass } from '../../support/factors.js';
import { ANGLES, DIGITS, headData, twoHeads } from '../../support/heads.js';
import { right } from '../../support/math/laplace.js';
import { expectNoLeak } from '../../support/memory.js';
import { surface, withSeededRandom } from '../../support/training.js';

/** See byProduct.test.ts. */
const TOLERANCE = 1e-5;
const EMPIRICAL = kfac({ fisher: 'empirical' });

/** NLL = C/(2σ²) · MSE: with σ² = 1 and two numbers the factor is 1, that of the cross-entropy. */
const ALIKE = perOutput({ digit: categorical(), angle: gaussian({ noiseVariance: ANGLES / 2 }) });
const MIXED = perOutput({ digit: categorical(), angle: gaussian({ noiseVariance: 0.3 }) });

type Loss = tf.ModelCompileArgs['loss'];
const LOSSES: Loss = ['sparseCategoricalCrossentropy', 'meanSquaredError'];
const RECORD: Loss = { angle: 'meanSquaredError', digit: 'sparseCategoricalCrossentropy' };

const fresh = (loss: Loss, optimizer: tf.Optimizer = tf.train.sgd(0)): tf.LayersModel => {
  const { model } = twoHeads();
  model.compile({ optimizer, loss });
  return model;
};
type Given = { readonly x: [tf.Tensor]; readonly y: { readonly digit: tf.Tensor; readonly angle: tf.Tensor } };
/** tfjs wants class numbers as columns. */
let data: Given;
let oneHot: Given;
beforeAll(() => {
  const { x, y } = headData(twoHeads().model, 10);
  data = { x, y: { digit: tf.expandDims(y.digit, 1), angle: y.angle } };
  oneHot = { x, y: { digit: tf.oneHot(y.digit.toInt(), DIGITS).toFloat(), angle: y.angle } };
});

const ARGS = { epochs: 1, batchSize: 4, shuffle: false, verbose: 0 } as const;

async function trained(
  model: tf.LayersModel,
  likelihood: Likelihood,
  curvature: Curvature = EMPIRICAL,
  args: tf.ModelFitArgs = {},
  given: Given = data,
) {
  const callback = laplaceCallback({ likelihood, curvature, epochs: everyEpoch() });
  const rows: boolean[] = [];
  const seen: Array<ReadonlyArray<number>> = [];
  const subscription = callback.batches$.subscribe({
    next: (batch: ObservedBatch) =>
      void batch.use((tensors) => {
        rows.push(tensors.rows !== undefined);
        seen.push(tensors.outputs?.shape ?? []);
        return [];
      }),
    error: () => {},
  });
  const factors = lastValueFrom(callback.factors$);
  factors.catch(() => {});
  await model.fit(given.x, given.y, { ...ARGS, ...args, callbacks: callback });
  subscription.unsubscribe();
  return { factors: await factors, rows, seen };
}

describe('by-products of the step', () => {
  it.each<[string, Loss]>([
    ['losses in a list', LOSSES],
    ['losses by name', RECORD],
  ])('equal a pass where all losses have one factor: %s', async (_, loss) => {
    const model = fresh(loss);
    const { factors, rows, seen } = await trained(model, ALIKE);
    expect(rows).toEqual([true, true, true]);
    // f of both outputs, as the step computed it: no forward pass was needed.
    expect(seen).toEqual([4, 4, 2].map((B) => [B, DIGITS + ANGLES]));
    expectSameFactors(factors, await pass(model, ALIKE, data, EMPIRICAL), TOLERANCE);
  });

  it('with a loss that is one number of the batch beside one that is a number for each example', async () => {
    const model = fresh(['categoricalCrossentropy', tf.losses.meanSquaredError as never]);
    const { factors, rows } = await trained(model, ALIKE, EMPIRICAL, {}, oneHot);
    expect(rows).toEqual([true, true, true]);
    expectSameFactors(factors, await pass(model, ALIKE, data, EMPIRICAL), TOLERANCE);
  });

  it('give way to a pass of its own where the factors differ', async () => {
    const model = fresh(LOSSES);
    const { factors, rows } = await trained(model, MIXED);
    expect(rows).toEqual([false, false, false]);
    expectSameFactors(factors, await pass(model, MIXED, data, EMPIRICAL), TOLERANCE);
  });
});

it('takes one loss for all outputs', () => {
  const likelihood = perOutput({ digit: gaussian({ noiseVariance: 1.5 }), angle: gaussian() });
  const { model } = twoHeads();
  const side = tf.model({ inputs: model.inputs, outputs: [model.getLayer('logits').output, model.outputs[1]] as never });
  side.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const network = right(readNetwork(side, perOutput({ logits: likelihood.outputs.digit, angle: likelihood.outputs.angle })));
  expect(matchLoss(network)).toEqual({ _tag: 'Right', right: { _tag: 'known', scale: 1 } });
});

it.each<Curvature>([kfac(), kfac({ fisher: { _tag: 'monteCarlo', seed: 4 } })])('a pass of its own: %j', async (curvature) => {
  const model = fresh(LOSSES);
  const { factors } = await trained(model, MIXED, curvature);
  const expected = await pass(model, MIXED, data, curvature);
  expectSameFactors(factors, expected, TOLERANCE);
});

it('trains to the same bits with the callback as without, and is put back', async () => {
  const weights = async (observed: boolean) => {
    const model = fresh(LOSSES, tf.train.adam(0.01));
    const before = surface(model);
    const callbacks = observed ? [laplaceCallback({ likelihood: ALIKE, epochs: everyEpoch() })] : [];
    await withSeededRandom(() => model.fit(data.x, data.y, { ...ARGS, epochs: 2, shuffle: true, callbacks: callbacks as never }));
    if (observed)
      expect(Object.keys(surface(model)).filter((key) => key.startsWith('losses'))).toEqual(
        Object.keys(before).filter((key) => key.startsWith('losses')),
      );
    if (observed) for (const key of ['losses.0', 'losses.1']) expect(surface(model)[key]).toEqual(before[key]);
    return model.getWeights().map((w) => Array.from(w.dataSync()));
  };
  expect(await weights(true)).toEqual(await weights(false));
});

it('frees what it holds', async () => {
  const model = fresh(LOSSES);
  for (const likelihood of [ALIKE, MIXED]) await expectNoLeak(() => trained(model, likelihood));
});

describe('class weights', () => {
  const classWeight = { digit: { 0: 2, 1: 0, 2: 3 } } as never;
  const weighted = (classWeights: number[]): PerOutput => perOutput({ ...ALIKE.outputs, digit: categorical({ classWeights }) });

  it('of an output are those of its likelihood, and weigh its part alone', async () => {
    const model = fresh(LOSSES);
    const likelihood = weighted([2, 0, 3]);
    const { factors, rows } = await trained(model, likelihood, EMPIRICAL, { classWeight });
    expect(rows).toEqual([true, true, true]);
    expectSameFactors(factors, await pass(model, likelihood, data, EMPIRICAL), TOLERANCE);
  });

  it.each<[string, PerOutput]>([
    ['none', ALIKE],
    ['others', weighted([2, 1, 3])],
  ])('must be in the likelihood: %s', async (_, likelihood) => {
    await expectRejection(trained(fresh(LOSSES), likelihood, EMPIRICAL, { classWeight }), 'InvalidOption', {
      field: 'classWeight',
      message: expect.stringContaining('for each output its own') as never,
    });
  });
});

describe('refuses before training', () => {
  it('a loss that is not the NLL of its output, by name', async () => {
    const model = fresh(['meanSquaredError', 'meanSquaredError']);
    await expectRejection(trained(model, ALIKE, EMPIRICAL, {}, oneHot), 'LossMismatch', {
      field: 'loss.digit',
      message: expect.stringMatching(/loss of output 'digit' of model .* is not the categorical/) as never,
    });
  });

  it("a loss of one's own, for rows of the step", async () => {
    const weighted = (labels: tf.Tensor, outputs: tf.Tensor) =>
      tf.mul(0.1, tf.losses.meanSquaredError(labels, outputs)) as tf.Scalar;
    const model = fresh(['sparseCategoricalCrossentropy', weighted as never]);
    await expectRejection(trained(model, ALIKE), 'LossMismatch', { field: 'loss' });
    const { factors } = await trained(model, ALIKE, kfac());
    expectSameFactors(factors, await pass(model, ALIKE, data, kfac()), TOLERANCE);
  });

  it('one likelihood for all of them', async () => {
    await expectRejection(trained(fresh(LOSSES), categorical()), 'InvalidModel', { field: 'likelihood' });
  });
});
