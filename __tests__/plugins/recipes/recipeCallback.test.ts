import * as tf from '@tensorflow/tfjs';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { isLaplaceError, type RecipeInput } from 'tfjs-laplace';
import { type RecipeCallbackOptions, type RecipeReport, recipeCallback, runRecipe } from 'tfjs-laplace/plugins/recipes';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { leftBehind } from '../../support/memory.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

const classifier = () => {
  const model = withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 5, activation: 'tanh', inputShape: [4], name: 'hidden' }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'classes' }),
      ],
    }),
  );
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
  return model;
};
const examples = (seed: number, N = 40) => ({
  x: tensor([N, 4], seed),
  y: tf.tidy(() => tf.oneHot(tf.range(0, N).mod(3).toInt(), 3).toFloat()),
});
const RECIPE: RecipeInput = {
  likelihood: 'categorical',
  curvature: { _tag: 'kfac', fisher: 'empirical' },
  report: { resamples: 5 },
};
const ARGS = { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 } as const;

const trained = async (
  options: RecipeCallbackOptions,
  others: (model: tf.LayersModel) => ReadonlyArray<tf.Callback | tf.CustomCallback> = () => [],
) => {
  const model = classifier();
  const own = recipeCallback(RECIPE, options);
  const { x, y } = examples(1);
  await model.fit(x, y, { ...ARGS, callbacks: [...others(model), own] as tf.Callback[] });
  return { model, own };
};

it('gives the report of a run on the factors of the training', async () => {
  const [heldOut, test] = [examples(2), examples(3)];
  const { model, own } = await trained({ heldOut, test });
  const report = await lastValueFrom(own.report$);

  const plain = classifier();
  const factors = laplaceCallback({ likelihood: 'categorical', curvature: { _tag: 'kfac', fisher: 'empirical' } });
  const { x, y } = examples(1);
  await plain.fit(x, y, { ...ARGS, callbacks: factors });
  const again = await runRecipe(plain, { training: await lastValueFrom(factors.factors$), heldOut, test }, RECIPE)();
  expect(again).toEqual({ _tag: 'Right', right: report });
  expect(model.getWeights().map((w) => w.arraySync())).toEqual(plain.getWeights().map((w) => w.arraySync()));
  expect(report.examples).toBe(40);
});

it('is there when fit returns, and is made once for all who listen', async () => {
  const titles: string[] = [];
  const step: RecipeCallbackOptions['step'] = async (title, work) => {
    titles.push(title);
    return work(() => {});
  };
  const { own } = await trained({ test: examples(3), step });
  expect(titles).toEqual(['The posterior', 'The test examples', 'The trained network on them']);
  const [a, b] = [await lastValueFrom(own.report$), await lastValueFrom(own.report$)];
  expect(a).toBe(b);
  expect(titles).toHaveLength(3);
});

it('tells of an analysis that fails, and lets the training be', async () => {
  const said: string[] = [];
  const { own } = await trained({ test: { x: tensor([2, 4], 1), y: [0, 9] }, warn: (line) => said.push(line) });
  await expect(lastValueFrom(own.report$)).rejects.toMatchObject({ kind: 'InvalidLabels' });
  expect(said).toEqual([expect.stringContaining('the analysis of its recipe failed')]);
  expect((await lastValueFrom(own.factors$)).count).toBe(40);
});

it('fails with the error of the factors, once', async () => {
  const said: string[] = [];
  const stopping = (model: tf.LayersModel) => [
    new tf.CustomCallback({
      onEpochEnd: async () => {
        model.stopTraining = true;
      },
    }),
  ];
  const { own } = await trained({ warn: (line) => said.push(line) }, stopping);
  await expect(lastValueFrom(own.report$)).rejects.toMatchObject({ kind: 'Empty' });
  expect(said).toEqual([]);
});

it('serves a second fit, whose report is another', async () => {
  const model = classifier();
  const own = recipeCallback(RECIPE, {});
  const { x, y } = examples(1);
  await model.fit(x, y, { ...ARGS, callbacks: own });
  const first = await firstValueFrom(own.report$);
  await model.fit(x, y, { ...ARGS, callbacks: own });
  const second = await firstValueFrom(own.report$);
  expect(second.posterior.fingerprint).not.toBe(first.posterior.fingerprint);
});

it('hands on a checkpoint', async () => {
  const saved: number[] = [];
  const checkpoint = {
    load: async () => undefined,
    save: async ({ epoch }: { readonly epoch: number }) => {
      saved.push(epoch);
    },
    clear: async () => {
      saved.push(Number.NaN);
    },
  };
  const { own } = await trained({ checkpoint });
  expect((await lastValueFrom(own.report$)).examples).toBe(40);
  expect(saved).toEqual([2, Number.NaN]);
});

it('frees what it makes', async () => {
  const model = classifier();
  const [training, heldOut, test] = [examples(1), examples(2), examples(3)];
  const once = async (): Promise<RecipeReport> => {
    const own = recipeCallback(RECIPE, { heldOut, test });
    await model.fit(training.x, training.y, { ...ARGS, callbacks: own });
    return lastValueFrom(own.report$);
  };
  await once();
  expect(await leftBehind(once)).toEqual({ tensors: 0, bytes: 0 });
});

it('refuses at once what cannot be right', () => {
  const kindOf = (make: () => unknown) => {
    try {
      make();
    } catch (error) {
      return isLaplaceError(error) ? `${error.kind} ${error.field}` : error;
    }
    return 'nothing';
  };
  const wrong = (value: unknown): never => value as never;
  expect(kindOf(() => recipeCallback(wrong({})))).toBe('InvalidRecipe likelihood');
  expect(kindOf(() => recipeCallback(RECIPE, wrong({ batch: 3 })))).toBe('InvalidOption batch');
  expect(kindOf(() => recipeCallback({ ...RECIPE, calibration: 'vector' }))).toBe('InvalidInput data.heldOut');
  expect(kindOf(() => recipeCallback(RECIPE, { test: wrong(3) }))).toBe('InvalidInput data.test');
});
