/** Functions as an operator over inputs: what it takes, what it refuses, and what it leaves behind. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, Subject, take, toArray } from 'rxjs';
import {
  functionSampling,
  type InputSource,
  inputBatches,
  type Posterior,
  predict,
  predictRunning,
  type SampledFunctions,
  type SampleFunctionsOptions,
  sampleFunctions,
  toPosterior,
} from 'tfjs-laplace';
import { expectRefusal, expectRejection, rejection } from '../support/errors.js';
import { fittedPair, pass } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor, withFixedWeights } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let posterior: Posterior;
let x: tf.Tensor;
beforeAll(async () => {
  ({ model, x, posterior } = await fittedPair(classes));
});

const values = (sources: ReadonlyArray<InputSource>, options: SampleFunctionsOptions = {}, own = model, from_ = posterior) =>
  lastValueFrom(from(sources).pipe(sampleFunctions(own, from_, options), toArray()));

it('evaluates 10 functions unless told otherwise, batch after batch in order', async () => {
  const seen = await values([
    () => tensor([1, INPUTS], 1),
    [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ],
    x,
  ]);
  expect(seen.map(({ mean }) => mean.length)).toEqual([1, 2, 10]);
  for (const { mean, functions } of seen) {
    expect(functions).toHaveLength(10);
    for (const rows of functions) expect(rows.map((row) => row.length)).toEqual(mean.map(() => 3));
  }
});

it('gives outputs before the link: f* of the model is its softmax', async () => {
  const [{ mean }] = (await values([x])) as [SampledFunctions];
  const expected = tf.tidy(() => (model.predict(x) as tf.Tensor2D).arraySync());
  mean.forEach((f, b) => {
    const exps = Array.from(f, Math.exp);
    const sum = exps.reduce((a, e) => a + e, 0);
    exps.forEach((e, c) => expect(e / sum).toBeCloseTo(expected[b]?.[c] as number, 5));
  });
});

describe('refuses', () => {
  it.each<[string, SampleFunctionsOptions, string]>([
    ['0 functions', { samples: 0 }, 'samples'],
    ['half a function', { samples: 1.5 }, 'samples'],
    ['functions without end', { samples: Infinity }, 'samples'],
    ['a negative temperature', { temperature: -1 }, 'temperature'],
    ['an infinite temperature', { temperature: Infinity }, 'temperature'],
    ['a negative seed', { seed: -1 }, 'seed'],
    ['no memory', { memoryBudget: 0 }, 'memoryBudget'],
  ])('%s when the operator is made', (_, options, field) => {
    expectRefusal(() => sampleFunctions(model, posterior, options), field);
  });

  it('inputs of another shape, numbers that are none, models of other weights', async () => {
    await expectRejection(values([tensor([2, 3], 1)]), 'InvalidInput', { field: 'x' });
    await expectRejection(values([[[1, 2, 3, Number.NaN]]]), 'NotFinite', { field: 'x' });
    const other = withFixedWeights(chain(classes), 20);
    await expectRejection(values([x], {}, other), 'Mismatch');
    other.dispose();
    await expectRejection(values([x], {}, other), 'InvalidModel');
  });

  it('a structure of curvature that it does not know, as an operator and as a predictive', async () => {
    const [first, ...rest] = posterior.layers as [Posterior['layers'][number], ...Posterior['layers']];
    const foreign = { ...posterior, layers: [{ ...first, structure: 'another' as never }, ...rest] };
    await expectRejection(values([x], {}, model, foreign), 'UnsupportedLayer', { layer: first.name });
    await expectRejection(lastValueFrom(of(x).pipe(predict(model, foreign, functionSampling()))), 'UnsupportedLayer');
  });

  it('a predictive without memory', () => {
    for (const operator of [predict, predictRunning]) {
      expectRefusal(() => operator(model, posterior, functionSampling(), { memoryBudget: -1 }), 'memoryBudget');
    }
  });

  it('one sample where a variance is asked for', async () => {
    const numbers = pair('numbers');
    const own = chain(numbers);
    const theirs = await lastValueFrom(of(await pass(own, numbers.likelihood, dataOf(numbers, 10))).pipe(toPosterior()));
    const run = lastValueFrom(of(x).pipe(predict(own, theirs, functionSampling({ samples: 1 }))));
    await expectRejection(run, 'InvalidOption', { field: 'predictive.samples' });
  });
});

describe('leaves nothing on the device', () => {
  it('when the batches end', async () => {
    await expectNoLeak(() => values([...inputBatches(x, 4), () => tensor([2, INPUTS], 1)]));
    expect(x.isDisposed).toBe(false);
  });

  it('when one is refused', async () => {
    const wrong = tensor([2, 3], 1);
    await expectNoLeak(() => rejection(values([x, wrong, x])));
  });

  it('as a predictive', async () => {
    await expectNoLeak(() =>
      lastValueFrom(from(inputBatches(x, 3)).pipe(predict(model, posterior, functionSampling({ samples: 3 })))),
    );
  });

  it('when nobody listens any more, half-way', async () => {
    await expectNoLeak(() => lastValueFrom(from([x, x, x]).pipe(sampleFunctions(model, posterior), take(1))));
  });

  it('when nobody listens any more, before the first values', async () => {
    await expectNoLeak(async () => {
      const source = new Subject<InputSource>();
      const subscription = source.pipe(sampleFunctions(model, posterior, { samples: 3 })).subscribe();
      source.next(x);
      source.next(x);
      await Promise.resolve();
      subscription.unsubscribe();
      await settled();
    });
  });
});
