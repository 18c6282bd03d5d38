/** Predictions that improve draw by draw, and those that stop by themselves. */
import type * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, take, toArray } from 'rxjs';
import {
  activationSampling,
  type Classification,
  type InputSource,
  linearised,
  type Posterior,
  type Predictive,
  predict,
  predictRunning,
  type Regression,
  type RunningPrediction,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, type Pair, pair, tensor } from '../support/networks.js';

const bound = async (p: Pair) => {
  const model = chain(p);
  const data = dataOf(p, 10);
  const posterior = await lastValueFrom(of(await pass(model, p.likelihood, data)).pipe(toPosterior({ priorPrecision: 2 })));
  return { model, posterior, x: data.x };
};

let model: tf.LayersModel;
let posterior: Posterior;
let x: tf.Tensor;
let numbers: Awaited<ReturnType<typeof bound>>;
beforeAll(async () => {
  ({ model, posterior, x } = await bound(pair('classes, softmax inside')));
  numbers = await bound(pair('numbers'));
});

const running = (
  predictive: Predictive,
  sources: InputSource[] = [x],
  own = { model, posterior },
): Promise<RunningPrediction[]> =>
  lastValueFrom(from(sources).pipe(predictRunning(own.model, own.posterior, predictive), toArray()));
const final = (predictive: Predictive, own = { model, posterior, x }) =>
  lastValueFrom(of(own.x).pipe(predict(own.model, own.posterior, predictive)));

const KINDS = [activationSampling, weightSampling] as const;
const DESIGNS = ['independent', 'antithetic', 'quasiRandom'] as const;
const EACH = KINDS.flatMap((kind) => DESIGNS.map((design) => [kind()._tag, design, kind] as const));

describe.each(EACH)('%s, %s', (_, design, kind) => {
  it('emits after every draw what predict gives for as many samples', async () => {
    const states = await running(kind({ samples: 6, seed: 3, design }), [x, x]);
    expect(states.map(({ batch, samples, done }) => [batch, samples, done])).toEqual(
      [0, 1].flatMap((batch) => [1, 2, 3, 4, 5, 6].map((s) => [batch, s, s === 6])),
    );
    for (const samples of [1, 4, 6]) {
      const [state] = states.filter((s) => s.samples === samples) as [RunningPrediction];
      expect(state.prediction).toEqual(await final(kind({ samples, seed: 3, design })));
    }
  });

  it('says how many samples there are, and the standard error of every mean', async () => {
    const states = await running(kind({ samples: 5, design }), [numbers.x], numbers);
    const first = design === 'antithetic' ? 4 : 2;
    expect(states.map(({ samples }) => samples)).toEqual([2, 3, 4, 5].filter((s) => s >= first));
    for (const { samples, standardError, prediction } of states) {
      const regression = prediction as Regression;
      expect(regression.samples).toBe(samples);
      expect(regression.standardError?.map((row) => row.length)).toEqual(regression.mean.map((row) => row.length));
      expect(Math.fround(Math.max(...(regression.standardError ?? []).flatMap((row) => [...row])))).toBe(
        Math.fround(standardError),
      );
      // Of independent draws it is their standard deviation over √S.
      if (design !== 'independent') continue;
      regression.standardError?.forEach((row, b) => {
        row.forEach((e, c) => {
          expect(e / Math.sqrt((regression.epistemicVariance[b]?.[c] as number) / samples)).toBeCloseTo(1, 5);
        });
      });
    }
  });

  it('stops at a standard error, and no sooner', async () => {
    const most = 4000;
    const all = (target?: number) =>
      kind({ samples: most, design, seed: 1, ...(target === undefined ? {} : { standardError: target }) });
    // The error at some place: the first time that it is reached is where a run to that error ends.
    const states = await lastValueFrom(from([x]).pipe(predictRunning(model, posterior, all()), take(64), toArray()));
    const target = (states[47] as RunningPrediction).standardError;
    const { samples, standardError } = (await final(all(target))) as Classification;
    const step = { independent: 1, antithetic: 2, quasiRandom: 8 }[design];
    const fits = states.filter((s) => s.samples >= (design === 'antithetic' ? 16 : 8) && s.samples % step === 0);
    expect(samples).toBe(fits.find((s) => s.standardError <= target)?.samples);
    expect(Math.max(...(standardError ?? []).flatMap((row) => [...row]))).toBeLessThanOrEqual(target * (1 + 1e-6));
  });

  it('takes all samples when they are not precise enough', async () => {
    expect(((await final(kind({ samples: 20, design, standardError: 1e-9 }))) as Classification).samples).toBe(20);
  });

  it('leaves nothing on the device when it is left between draws', async () => {
    await expectNoLeak(() =>
      lastValueFrom(
        of(() => tensor([3, INPUTS], 1)).pipe(predictRunning(model, posterior, kind({ samples: 1e6, design })), take(5)),
      ),
    );
  });
});

it('has no standard error while the draws are too few to tell', async () => {
  const states = await running(weightSampling({ samples: 4, design: 'antithetic' }));
  const four = states.pop() as RunningPrediction;
  for (const { standardError, prediction } of states) {
    expect(standardError).toBe(Infinity);
    expect(prediction).not.toHaveProperty('standardError');
  }
  expect(four.standardError).toBeLessThan(1);
});

it('refuses a variance of one pair', async () => {
  await expectRejection(running(weightSampling({ samples: 3, design: 'antithetic' }), [numbers.x], numbers), 'InvalidOption', {
    field: 'predictive.samples',
  });
});

it('emits a closed form once', async () => {
  const states = await running(linearised(), [x, x]);
  const prediction = await final(linearised());
  expect(states).toEqual([0, 1].map((batch) => ({ batch, samples: 0, standardError: 0, prediction, done: true })));
  expect(prediction).not.toHaveProperty('samples');
});

it('goes no further than asked, within one draw', async () => {
  const seen: number[] = [];
  const subscription = of(x)
    .pipe(predictRunning(model, posterior, activationSampling({ samples: 1e6 })))
    .subscribe(({ samples }) => seen.push(samples));
  await settled();
  subscription.unsubscribe();
  const then = seen.length;
  expect(then).toBeGreaterThan(0);
  await settled();
  expect(seen).toHaveLength(then);
});
