/** The table of baselines: metrics, costs and foreign inputs in one call. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  activationSampling,
  auroc,
  type Classification,
  evaluate,
  type InputSource,
  inputBatches,
  type Posterior,
  predict,
} from 'tfjs-laplace';
import {
  type Baseline,
  baselineTable,
  calibrated,
  compareBaselines,
  deepEnsemble,
  posteriorPredictive,
  trainedNetwork,
} from 'tfjs-laplace/plugins/baselines';
import { expectRejection, rejection } from '../../support/errors.js';
import { fittedPair } from '../../support/factors.js';
import { right } from '../../support/math/laplace.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, pair, tensor } from '../../support/networks.js';

const classes = pair('classes, softmax inside');
const numbers = pair('numbers');
const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];

let own: Awaited<ReturnType<typeof fittedPair>>;
let posterior: Posterior;
let x: tf.Tensor2D;
beforeAll(async () => {
  own = await fittedPair(classes);
  posterior = own.posterior;
  x = own.x as tf.Tensor2D;
});
const map = (): Baseline => trainedNetwork(own.model, 'categorical');
const ensemble = (): Baseline => deepEnsemble('categorical', { train: () => chain(classes), members: 2 });
const inputs = () => inputBatches(x, 4);

it('has the metrics of evaluate, each paired with the first baseline', async () => {
  const laplace = posteriorPredictive('linearised', own.model, posterior);
  const found = await compareBaselines([map(), laplace], inputs(), LABELS, { seed: 3 });
  expect(found.map(({ name, trainings }) => [name, trainings])).toEqual([
    ['MAP', 1],
    ['linearised', 1],
  ]);
  const direct = await lastValueFrom(from(inputs()).pipe(predict(own.model, posterior), toArray()));
  const baseline = [
    {
      _tag: 'classification' as const,
      probabilities: tf.tidy(() => (own.model.predict(x) as tf.Tensor2D).arraySync()),
    },
  ];
  const expected = right(evaluate(direct as ReadonlyArray<Classification>, LABELS, { baseline, seed: 3 }));
  expect(found[1]?.evaluation.metrics.map(({ name }) => name)).toEqual(expected.metrics.map(({ name }) => name));
  expected.metrics.forEach((metric, i) => {
    const line = found[1]?.evaluation.metrics[i];
    // Both networks' probabilities are the same float32 numbers up to rounding.
    expect(line?.value).toBeCloseTo(metric.value, 5);
    expect(line?.difference?.value).toBeCloseTo(metric.difference?.value as number, 5);
  });
  expect(found[0]?.evaluation.metrics[0]?.difference).toBeUndefined();
});

it('samples, by another predictive', async () => {
  const sampled = posteriorPredictive('sampled', own.model, posterior, activationSampling({ samples: 8, seed: 2 }));
  const [found] = await compareBaselines([sampled], inputs(), LABELS);
  const direct = predict(own.model, posterior, activationSampling({ samples: 8, seed: 2 }));
  expect(found?.predictions).toEqual(await lastValueFrom(from(inputs()).pipe(direct, toArray())));
});

it('tells foreign inputs by their entropy, or their total variance', async () => {
  const foreign = { far: [tensor([3, 4], 20), tensor([2, 4], 21)] };
  const [found] = await compareBaselines([posteriorPredictive('own', own.model, posterior)], inputs(), LABELS, { foreign });
  const entropies = async (all: ReadonlyArray<InputSource>) => {
    const parts = await lastValueFrom(from(all).pipe(predict(own.model, posterior), toArray()));
    return (parts as Classification[]).flatMap((p) => Array.from(p.entropy));
  };
  const groups = { positives: await entropies(foreign.far), negatives: await entropies(inputs()) };
  expect(found?.foreign.far).toBe(right(auroc(groups)));

  const fitted = await fittedPair(numbers);
  const targets = (await fitted.y.array()) as number[][];
  const far = { far: [tf.tidy(() => fitted.x.mul(100))] };
  const [regression] = await compareBaselines([posteriorPredictive('own', fitted.model, fitted.posterior)], [fitted.x], targets, {
    foreign: far,
  });
  expect(regression?.foreign.far).toBeGreaterThan(0.9);
});

it('counts trainings, and times preparation and prediction', async () => {
  const [first, second] = await compareBaselines([ensemble(), map()], inputs(), LABELS);
  expect(first?.trainings).toBe(2);
  for (const { preparation, prediction } of [first?.seconds, second?.seconds] as Array<{
    preparation: number;
    prediction: number;
  }>) {
    expect(preparation).toBeGreaterThanOrEqual(0);
    expect(prediction).toBeGreaterThan(0);
  }
});

it('frees what each baseline has made', async () => {
  const held = { inputs: inputs(), labels: LABELS };
  await expectNoLeak(() =>
    compareBaselines([map(), calibrated(ensemble(), held)], inputs(), LABELS, { foreign: { ones: [() => tf.ones([2, 4])] } }),
  );
});

it('frees what there is when a baseline fails: at its preparation, its prediction, its scores', async () => {
  const failing: Baseline = { name: 'failing', trainings: 1, prepare: () => Promise.reject(new Error('no')) };
  await expectNoLeak(async () =>
    expect(await rejection(compareBaselines([ensemble(), failing], inputs(), LABELS))).toEqual(new Error('no')),
  );
  const thrown = () => {
    throw new Error('gone');
  };
  await expectNoLeak(async () =>
    expect(await rejection(compareBaselines([ensemble()], [...inputs(), thrown], LABELS))).toEqual(new Error('gone')),
  );
  await expectNoLeak(() => expectRejection(compareBaselines([ensemble()], inputs(), [0, 1]), 'InvalidInput'));
});

it('prints a line for each baseline', async () => {
  const found = await compareBaselines([map(), ensemble()], inputs(), LABELS, { foreign: { far: [tf.ones([2, 4])] } });
  const [head, , first, second, ...rest] = baselineTable(found, ['nll', 'none']).split('\n');
  expect(rest).toEqual([]);
  expect(head?.trim().split(/ {2,}/)).toEqual(['nll', 'AUROC, far', 'trainings', 'preparation', 'prediction']);
  const nll = found[0]?.evaluation.metrics.find(({ name }) => name === 'nll');
  expect(first?.split(/ {2,}/).slice(0, 2)).toEqual(['MAP', `${nll?.value.toFixed(4)} ± ${nll?.standardError.toFixed(4)}`]);
  expect(second?.split(/ {2,}/)[3]).toBe('2');
});
