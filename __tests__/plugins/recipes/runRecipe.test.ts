import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Classification,
  calibrate,
  composeRecipe,
  conformalIntervals,
  conformalSets,
  credibleIntervals,
  decodeAbstention,
  decodeCalibrator,
  decodeConformal,
  decodeRecipe,
  evaluate,
  evidence,
  fitCalibrator,
  type LaplaceError,
  linearised,
  observe,
  orThrow,
  perOutput,
  perStep,
  predict,
  presets,
  type Recipe,
  type RecipeInput,
  type Regression,
  recipe,
  toPosterior,
  tune,
} from 'tfjs-laplace';
import {
  type RecipeReport,
  type RunData,
  type RunOptions,
  reportData,
  reportTable,
  runRecipe,
} from 'tfjs-laplace/plugins/recipes';
import { loadFactors, loadPosterior } from 'tfjs-laplace/plugins/storage';
import { expectNoLeak } from '../../support/memory.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

const { layers } = tf;
const classifier = () =>
  withFixedWeights(
    tf.sequential({
      layers: [
        layers.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
        layers.dense({ units: 3, activation: 'softmax' }),
      ],
    }),
  );
const classes = (seed: number, N = 40) => ({ x: tensor([N, 4], seed), y: tf.range(0, N).mod(3).toInt() });
const SETS: RunData = { training: classes(1), heldOut: classes(2), thresholds: classes(3), test: classes(4) };

const run = async (
  model: tf.LayersModel,
  data: RunData,
  analysis: RecipeInput | Recipe,
  options?: RunOptions,
): Promise<RecipeReport> => orThrow(await runRecipe(model, data, analysis, options)());
const failure = async (model: tf.LayersModel, data: RunData, analysis: RecipeInput): Promise<LaplaceError> => {
  const found = await runRecipe(model, data, analysis)();
  if (E.isRight(found)) throw new Error('it succeeded');
  return found.left;
};

const wholly = async (model: tf.LayersModel, x: tf.Tensor, report: Pick<RecipeReport, 'posterior' | 'predictive'>) =>
  (await lastValueFrom(from([x]).pipe(predict(model, report.posterior, report.predictive)))) as Classification;

describe('runRecipe', () => {
  const FULL = recipe({
    likelihood: 'categorical',
    prior: 3,
    calibration: 'temperature',
    report: { conformal: { score: 'aps', level: 0.8 }, abstention: { risk: 0.99 }, resamples: 20 },
  });

  it('is what its parts are, put together by hand', async () => {
    const model = classifier();
    const report = await run(model, SETS, FULL, { batchSize: 16 });

    const posterior = await lastValueFrom(
      from(batches(classes(1), 16)).pipe(observe(model, 'categorical'), accumulateFactors(FULL), toPosterior(FULL)),
    );
    const tuned = await tune(model, posterior, batches(classes(2), 16));
    expect(report.posterior).toEqual(tuned.posterior);
    expect(report.predictive).toEqual(tuned.predictive);
    expect(report.tuning?.chosen).toEqual(tuned.chosen);
    expect(report.evidence).toEqual(evidence(tuned.posterior));

    const labels = Array.from({ length: 40 }, (_, i) => i % 3);
    const calibrator = orThrow(fitCalibrator(await wholly(model, classes(2).x, report), labels));
    const held = orThrow(calibrate(await wholly(model, classes(3).x, report), calibrator));
    const own = orThrow(calibrate(await wholly(model, classes(4).x, report), calibrator));
    const [output] = report.outputs;
    expect(output?.calibrator).toEqual(calibrator);
    expect(output?.conformal).toEqual(orThrow(conformalSets(held, labels, { score: 'aps', level: 0.8 })));
    const plain = { posterior, predictive: linearised({ temperature: 0 }) };
    const evaluation = evaluate({ _tag: 'classification', probabilities: own }, labels, {
      baseline: await wholly(model, classes(4).x, plain),
      resamples: 20,
    });
    expect(output?.evaluation).toEqual(orThrow(evaluation));
    expect(output?.covered?.coverage).toBeGreaterThan(0.5);
    expect(output?.kept?.coverage).toBeGreaterThan(0);
    expect(report.examples).toBe(40);
  });

  it('leaves the prior as it is without held-out examples, and judges nothing without test examples', async () => {
    const report = await run(classifier(), { training: classes(1) }, { likelihood: 'categorical', prior: 7 });
    expect(report.posterior.layers.map(({ priorPrecision }) => priorPrecision)).toEqual([7, 7]);
    expect(report.tuning).toBeUndefined();
    expect(report.outputs).toEqual([{ output: expect.any(String) }]);
    expect(report.predictive).toEqual(linearised());
  });

  it('takes factors in place of training data, and batches in place of whole sets', async () => {
    const model = classifier();
    const analysis = { likelihood: 'categorical', curvature: 'ekfac' } as const;
    const parts = batches(classes(1), 16);
    const factors = await lastValueFrom(from(parts).pipe(observe(model, 'categorical'), accumulateFactors('ekfac')));
    const [a, b] = [await run(model, { training: factors }, analysis), await run(model, { training: parts }, analysis)];
    expect(a.posterior).toEqual(b.posterior);
  });

  it('frees what it makes', async () => {
    const model = classifier();
    const sets = { training: classes(1), heldOut: classes(2), thresholds: classes(3), test: classes(4) };
    await expectNoLeak(() => run(model, sets, FULL));
    // The labels of batch 1 are none: what was read before is freed too.
    const broken = { ...sets, test: { x: tensor([40, 4], 4), y: tf.range(0, 40) } };
    await expectNoLeak(() => failure(model, broken, FULL));
  });

  it('skips batches that are not finite if it is told to, and says so', async () => {
    const model = classifier();
    const { x, y } = classes(1);
    const broken = tf.tidy(() => tf.concat([x, tf.fill([1, 4], Number.NaN)]));
    const training = { x: broken, y: tf.tidy(() => tf.concat([y, tf.zeros([1], 'int32')])) };
    const analysis = { likelihood: 'categorical' } as const;
    expect(await failure(model, { training }, analysis)).toMatchObject({ kind: 'NotFinite' });
    const report = await run(model, { training }, analysis, { batchSize: 8, onNotFinite: 'skip' });
    expect(report.examples).toBe(40);
    expect(report.warnings).toEqual([expect.stringMatching(/1 in 1 batch were skipped.*batch 5/)]);
  });

  it('warns if the posterior is worse than the network, and when nothing is kept', async () => {
    const model = classifier();
    model.setWeights(model.getWeights().map((w) => w.mul(4)));
    const x = tensor([400, 4], 9);
    const y = (model.predict(x) as tf.Tensor).argMax(-1);
    const training = { x: x.slice([0, 0], [10, 4]), y: y.slice([0], [10]) };
    const analysis = { likelihood: 'categorical', prior: 1e-3, report: { abstention: { risk: 1e-6 } } } as const;
    const { warnings } = await run(model, { training, thresholds: training, test: { x, y } }, analysis);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("higher than the trained network's own");
    expect(warnings[1]).toContain('handed on');
  });
});

describe('every kind of output', () => {
  const X = (seed: number, N = 30) => tensor([N, 4], seed);
  const reading = (size: number) =>
    withFixedWeights(
      tf.sequential({ layers: [layers.dense({ units: 4, activation: 'tanh', inputShape: [4] }), layers.dense({ units: size })] }),
    );

  it('numbers, with intervals around quantiles', async () => {
    const model = reading(2);
    const set = (seed: number) => ({ x: X(seed), y: tensor([30, 2], seed + 10) });
    const data = { training: set(1), heldOut: set(2), thresholds: set(3), test: set(4) };
    for (const score of ['cqr', 'absolute', undefined] as const) {
      const conformal = { level: 0.8, ...(score && { score }) };
      const report = await run(model, data, { likelihood: 'gaussian', report: { conformal, resamples: 5 } });
      const held = (await wholly(model, set(3).x, report)) as unknown as Regression;
      const targets = set(3).y.arraySync() as number[][];
      const read = score === 'cqr' ? credibleIntervals(held, { level: 0.8 }) : held;
      const expected = orThrow(conformalIntervals(read, targets, { level: 0.8, score: score ?? 'normalised' }));
      // Labels come from the device as float32, and so do these.
      expect(report.outputs[0]?.conformal).toEqual(expected);
      expect(report.outputs[0]?.covered?.coverage).toBeGreaterThan(0.4);
      expect(report.outputs[0]?.evaluation?.metrics[0]?.name).toBe('gaussianNll');
    }
  });

  it('independent labels, one below the other', async () => {
    const set = (seed: number) => ({
      x: X(seed),
      y: tensor([30, 2], seed + 10)
        .greater(0)
        .toFloat(),
    });
    const data = { training: set(1), heldOut: set(2), thresholds: set(3), test: set(4) };
    const analysis = { likelihood: 'bernoulli', calibration: 'isotonic', report: { conformal: {}, resamples: 5 } } as const;
    const [output] = (await run(reading(2), data, analysis)).outputs;
    expect(output?.evaluation?.count).toBe(60);
    expect(output?.calibrator?.classes).toBe(2);
  });

  it('steps of a sequence, of which padding does not count', async () => {
    const model = withFixedWeights(tf.sequential({ layers: [layers.dense({ units: 3, inputShape: [5, 4] })] }));
    const labels = (N: number) => tf.tensor2d(Array.from({ length: N }, (_, i) => [i % 3, 1, 2, -1, -1]));
    const set = (seed: number) => ({ x: tensor([12, 5, 4], seed), y: labels(12) });
    const analysis = {
      likelihood: perStep({ _tag: 'categorical', labelSmoothing: 0 }, { ignoreLabel: -1 }),
      report: { resamples: 5 },
    };
    const report = await run(model, { training: set(1), heldOut: set(2), test: set(3) }, analysis);
    expect(report.outputs[0]?.evaluation?.count).toBe(36);
  });

  it('several outputs, each by its name', async () => {
    const x = tf.input({ shape: [4] });
    const outputs = [layers.dense({ units: 3, name: 'digit' }), layers.dense({ units: 1, name: 'angle' })];
    const model = withFixedWeights(tf.model({ inputs: x, outputs: outputs.map((layer) => layer.apply(x) as tf.SymbolicTensor) }));
    const set = (seed: number) => ({
      x: X(seed),
      y: { digit: tf.range(0, 30).mod(3).toInt(), angle: tensor([30, 1], seed) },
    });
    const likelihood = perOutput({
      digit: { _tag: 'categorical', labelSmoothing: 0 },
      angle: { _tag: 'gaussian', noiseVariance: 0.3 },
    });
    const analysis = { likelihood, calibration: 'temperature', report: { conformal: { score: 'cqr' }, resamples: 5 } } as const;
    const data = { training: set(1), heldOut: set(2), thresholds: set(3), test: set(4) };
    const [digit, angle] = (await run(model, data, analysis)).outputs;
    expect(digit).toMatchObject({ output: 'digit', calibrator: { _tag: 'calibrator' }, conformal: { _tag: 'conformalSets' } });
    expect(angle).toMatchObject({ output: 'angle', conformal: { _tag: 'conformalIntervals', score: { _tag: 'cqr' } } });
    expect(angle?.calibrator).toBeUndefined();
  });

  it.each(Object.keys(presets) as Array<keyof typeof presets>)('the preset %s', async (name) => {
    // A search with sampled networks draws them anew for each candidate: a few precisions and a few networks are enough here.
    const { predictive } = composeRecipe({ likelihood: 'categorical' }, presets[name]);
    const few = { predictive: { ...predictive, samples: 4 }, tuning: { ...presets[name].tuning, precisions: [0.1, 10] } };
    const analysis = composeRecipe({ likelihood: 'categorical', report: { resamples: 5 } }, presets[name], few);
    const report = await run(classifier(), SETS, analysis);
    expect(report.outputs[0]?.evaluation?.metrics.every(({ value }) => Number.isFinite(value))).toBe(true);
    expect(report.tuning?.verdict).not.toBe('worse');
  });
});

describe('the output', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'laplace-recipe-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is kept where the recipe says, and can be read again', async () => {
    const analysis = recipe({
      likelihood: 'categorical',
      calibration: 'vector',
      report: { conformal: { by: 'class' }, abstention: { risk: 0.9 }, resamples: 5 },
      output: { to: `file://${folder}`, keep: ['posterior', 'factors', 'report'] },
    });
    const model = classifier();
    const report = await run(model, SETS, analysis);
    expect(report.kept.map(({ what }) => what)).toEqual(['posterior', 'factors', 'report']);
    expect((await readdir(folder)).sort()).toEqual(
      ['factors.json', 'factors.safetensors', 'laplace.json', 'laplace.safetensors', 'report.json'].sort(),
    );
    expect(await loadPosterior(`file://${folder}`, { model })).toEqual(report.posterior);
    expect((await loadFactors(`file://${folder}`)).count).toBe(40);
    const data = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(decodeRecipe(data.recipe)).toEqual(E.right(analysis));
    const [output] = report.outputs;
    expect(decodeCalibrator(data.outputs[0].calibrator)).toEqual(E.right(output?.calibrator));
    expect(decodeConformal(data.outputs[0].conformal)).toEqual(E.right(output?.conformal));
    expect(decodeAbstention(data.outputs[0].abstention)).toEqual(E.right(output?.abstention));
    expect(data.tuning.network.plain.precision).toBe('Infinity');
  });

  it('writes nothing if it is none', async () => {
    const report = await run(classifier(), { training: classes(1) }, { likelihood: 'categorical' });
    expect(report.kept).toEqual([]);
  });

  it('fails with Storage where nothing can be written', async () => {
    const output = { to: 'file:///dev/null/here' };
    expect(await failure(classifier(), { training: classes(1) }, { likelihood: 'categorical', output })).toMatchObject({
      kind: 'Storage',
    });
  });

  it('can be told in words', async () => {
    const report = await run(classifier(), SETS, { likelihood: 'categorical', report: { conformal: {}, resamples: 5 } });
    const text = reportTable(report);
    expect(text).toContain('A posterior of 40 examples over');
    expect(text).toMatch(/nll +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +-?\d\.\d{4} +\d\.\d{4}/);
    expect(text).toContain('sets for a level of 90 % hold');
    expect(JSON.stringify(reportData(report))).not.toContain('null');
  });
});

describe('what is wrong', () => {
  const model = classifier();
  const training = classes(1);
  const analysis = { likelihood: 'categorical' } as const;
  const wrong = (value: unknown): never => value as never;

  it.each<[string, RunData, RecipeInput, Partial<LaplaceError>]>([
    ['no data', wrong(undefined), analysis, { kind: 'InvalidInput', field: 'data' }],
    ['no training data', wrong({}), analysis, { kind: 'InvalidInput', field: 'data.training' }],
    ['an unknown set', wrong({ training, validation: training }), analysis, { kind: 'InvalidInput', field: 'data.validation' }],
    ['a set that is none', { training, test: wrong(3) }, analysis, { kind: 'InvalidInput', field: 'data.test' }],
    [
      'nothing to calibrate on',
      { training },
      { ...analysis, calibration: 'vector' },
      { kind: 'InvalidInput', field: 'data.heldOut' },
    ],
    [
      'nothing for thresholds',
      { training },
      { ...analysis, report: { conformal: {} } },
      { kind: 'InvalidInput', field: 'data.thresholds' },
    ],
    ['no recipe', { training }, wrong({ prior: 3 }), { kind: 'InvalidRecipe', field: 'likelihood' }],
    ['another shape', { training: { x: tensor([4, 3], 1), y: [0, 1, 2, 0] } }, analysis, { kind: 'InvalidInput' }],
    ['foreign labels', { training: { x: tensor([2, 4], 1), y: [0, 9] } }, analysis, { kind: 'InvalidLabels' }],
    ['foreign test labels', { training, test: { x: tensor([2, 4], 1), y: [0, 9] } }, analysis, { kind: 'InvalidLabels' }],
    ['an empty set', { training, test: [] }, analysis, { kind: 'Empty' }],
  ])('%s', async (_name, data, own, expected) => {
    expect(await failure(model, data, own)).toMatchObject(expected);
  });

  it('is said at the call for options', () => {
    expect(() => runRecipe(model, { training }, analysis, wrong({ batch: 3 }))).toThrow(
      expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining('batchSize') }),
    );
    expect(() => runRecipe(model, { training }, analysis, { batchSize: 0 })).toThrow(
      expect.objectContaining({ field: 'batchSize' }),
    );
  });

  it('reports progress, and its steps', async () => {
    const phases = new Set<string>();
    await run(model, SETS, { ...analysis, report: { resamples: 2 } }, { onProgress: ({ phase }) => phases.add(phase) });
    expect([...phases]).toEqual(['observe', 'decompose', 'predict']);
    const titles: string[] = [];
    const step: NonNullable<RunOptions['step']> = async (title, work) => {
      titles.push(title);
      return work(() => {});
    };
    await run(model, SETS, { ...analysis, report: { resamples: 2 } }, { step });
    expect(titles).toEqual([
      'The curvature',
      'The posterior',
      'The choice of the prior',
      'The test examples',
      'The trained network on them',
    ]);
  });
});

it('predicts nothing until it is called', async () => {
  const task = runRecipe(classifier(), SETS, { likelihood: 'categorical', report: { resamples: 2 } });
  const [a, b] = [orThrow(await task()), orThrow(await task())];
  expect(a.posterior).toEqual(b.posterior);
});
