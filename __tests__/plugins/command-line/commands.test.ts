import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Classification,
  calibrate,
  observe,
  orThrow,
  predict,
  recipe,
  sampleModels,
  tune,
} from 'tfjs-laplace';
import { type RecipeReport, reportData, runRecipe } from 'tfjs-laplace/plugins/recipes';
import { loadPosterior, modelFiles, saveFactors } from 'tfjs-laplace/plugins/storage';
import { classifier, csvOf, examplesOf, NAMES, RECIPE, SEEDS, said, workFolder } from './folder.js';

let work: Awaited<ReturnType<typeof workFolder>>;
let report: RecipeReport;
const at = (name: string): string => work.at(name);
const files = (...names: ReadonlyArray<string>): string[] => names.map(at);
const DATA = () => ['--data', ...files('train.csv'), '--target', 'kind'];
const SETS = () => ['--held-out', at('val.csv'), '--thresholds', at('cal.csv'), '--test', at('test.csv')];
const MODEL = () => ['--model', at('model')];

beforeAll(async () => {
  work = await workFolder();
  const data = {
    training: examplesOf(SEEDS.train),
    heldOut: examplesOf(SEEDS.val),
    thresholds: examplesOf(SEEDS.cal),
    test: examplesOf(SEEDS.test),
  };
  report = orThrow(await runRecipe(classifier(), data, recipe(RECIPE), { classNames: NAMES })());
  // What most tests begin with.
  expect(await said('run', at('recipe.json'), ...MODEL(), ...DATA(), ...SETS(), '--out', at('out'), '--quiet')).toMatchObject({
    code: 0,
    err: '',
  });
});
afterAll(() => work.remove());

/** Without what says where something was written. */
const plain = ({ output: _, ...own }: Record<string, unknown>) => own;

describe('run', () => {
  it('is runRecipe, as JSON and as text', async () => {
    const { code, out, err } = await said('run', at('recipe.json'), ...MODEL(), ...DATA(), ...SETS(), '--json', '--verbose');
    expect(code).toBe(0);
    // Labels and inputs of files are float32: so are those of the tensors.
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(reportData(report))));
    expect(err).toContain('The choice of the prior');
    const text = await said('run', at('recipe.json'), ...MODEL(), ...DATA(), ...SETS());
    expect(text.out).toContain("'kind', 40 test examples");
  });

  it('keeps what it is told to keep, and runs again from its report', async () => {
    expect(readdirSync(at('out')).sort()).toEqual(['laplace.json', 'laplace.safetensors', 'report.json']);
    expect(await loadPosterior(`file://${at('out')}`)).toEqual(report.posterior);
    const again = await said('run', at('out/report.json'), ...MODEL(), ...DATA(), ...SETS(), '--json', '--out', at('again'));
    const [first, second] = [readFileSync(at('out/report.json'), 'utf8'), readFileSync(at('again/report.json'), 'utf8')].map(
      (text) => JSON.parse(text),
    );
    expect(plain(second.recipe)).toEqual(plain(first.recipe));
    expect(second.outputs).toEqual(first.outputs);
    expect(first.classNames).toEqual(NAMES);
    expect(JSON.parse(again.out).kept.map(({ what }: { what: string }) => what)).toEqual(['posterior', 'report']);
  });

  it('takes factors in place of data, and keeps checkpoints', async () => {
    const pass = from(batches(examplesOf(SEEDS.train), 16)).pipe(observe(classifier(), 'categorical'), accumulateFactors());
    await saveFactors(await lastValueFrom(pass), `file://${at('all.safetensors')}`);
    const { code, out } = await said(
      'run',
      at('recipe.json'),
      ...MODEL(),
      '--data',
      at('all.safetensors'),
      '--target',
      'kind',
      ...SETS(),
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).examples).toBe(40);
    const kept = ['--checkpoint', at('pass'), '--every', '1', '--batch', '8'];
    expect((await said('run', at('recipe.json'), ...MODEL(), ...DATA(), ...SETS(), ...kept)).code).toBe(0);
    expect(readdirSync(at('pass'))).toEqual([]);
  });

  it('knows classes by their names, whichever of them a file has', async () => {
    // Without birches, a file alone would take cedars for the second class.
    const rows = csvOf(SEEDS.test).split('\n');
    writeFileSync(at('few.csv'), rows.filter((row) => !row.endsWith('birch')).join('\n'));
    const own = await said(
      'run',
      at('recipe.json'),
      ...MODEL(),
      ...DATA(),
      ...SETS().slice(0, 4),
      '--test',
      at('few.csv'),
      '--json',
    );
    const { x, y } = examplesOf(SEEDS.test);
    const keep = (y.arraySync() as number[]).flatMap((k, i) => (k === 1 ? [] : [i]));
    const few = { x: x.gather(keep), y: y.gather(keep) };
    const sets = { training: examplesOf(1), heldOut: examplesOf(2), thresholds: examplesOf(3), test: few };
    const expected = orThrow(await runRecipe(classifier(), sets, recipe(RECIPE))());
    expect(JSON.parse(own.out).outputs).toEqual(JSON.parse(JSON.stringify(reportData(expected))).outputs);

    writeFileSync(at('other.csv'), csvOf(SEEDS.test, 40, ['ash', 'birch', 'yew']));
    const unknown = await said('run', at('recipe.json'), ...MODEL(), ...DATA(), ...SETS().slice(0, 4), '--test', at('other.csv'));
    expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/found yew.*one of ash, birch, cedar/) });
    const tuneOn = (posterior: string) =>
      said('tune', at(posterior), ...MODEL(), '--held-out', at('few.csv'), '--target', 'kind', '--json');
    // The report says which two of the model's three classes the names are. Without it nothing does.
    expect(JSON.parse((await tuneOn('out')).out).classNames).toEqual(NAMES);
    expect(await tuneOn('out/laplace.safetensors')).toMatchObject({
      code: 1,
      err: expect.stringContaining('names of 3 classes'),
    });
  });
});

describe('predict', () => {
  const INPUTS = ['--inputs', 'a', 'b', 'c'];

  it('predicts as the run did, with its calibration and thresholds', async () => {
    const { code, out, err } = await said(
      'predict',
      at('out'),
      ...MODEL(),
      '--data',
      at('test.csv'),
      ...INPUTS,
      '--json',
      '--batch',
      '16',
    );
    expect(code).toBe(0);
    expect(err).toContain('report.json');
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    for (const { class: k, className, set, setNames } of lines) {
      expect([className, setNames]).toEqual([NAMES[k], set.map((own: number) => NAMES[own])]);
    }
    const { x } = examplesOf(SEEDS.test);
    const prediction = (await lastValueFrom(
      from([x]).pipe(predict(classifier(), report.posterior, report.predictive)),
    )) as Classification;
    const own = orThrow(calibrate(prediction, report.outputs[0]?.calibrator as never));
    // Batches of another size sum float32 numbers in another order.
    lines.forEach(({ probabilities }, i) =>
      probabilities.forEach((p: number, c: number) => expect(p).toBeCloseTo(own[i]?.[c] as number, 5)),
    );
    expect(lines.every(({ set }) => Array.isArray(set))).toBe(true);
    expect(lines.some(({ handedOn }) => handedOn === false)).toBe(true);
  });

  it('takes a predictive of its own, and then nothing of the report', async () => {
    const predictive = '{"_tag":"weightSampling","samples":3,"seed":5}';
    const { out } = await said(
      'predict',
      at('out'),
      ...MODEL(),
      '--data',
      at('test.csv'),
      ...INPUTS,
      '--json',
      '--predictive',
      predictive,
    );
    const first = JSON.parse(out.split('\n')[0] as string);
    expect(first.set).toBeUndefined();
    // What classes are called does not depend on the predictive.
    expect(first.className).toBe(NAMES[first.class]);
    const { x } = examplesOf(SEEDS.test);
    const own = (await lastValueFrom(
      from([x]).pipe(predict(classifier(), report.posterior, { _tag: 'weightSampling', samples: 3, seed: 5 })),
    )) as Classification;
    expect(first.probabilities).toEqual(Array.from(own.probabilities[0] as Float32Array));
  });

  it('writes a table for people', async () => {
    const { out } = await said('predict', at('out'), ...MODEL(), '--data', at('test.csv'), ...INPUTS);
    expect(out.split('\n')[0]).toMatch(/^row +class +probability +entropy +mutual information +set +handed on$/);
    expect(out.trimEnd().split('\n')).toHaveLength(42);
    expect(out).toMatch(/^0 +(ash|birch|cedar) .*{((ash|birch|cedar)(, )?)+}/m);
  });

  it('refuses a report of another run beside the posterior', async () => {
    const other = JSON.parse(readFileSync(at('out/report.json'), 'utf8'));
    await said('convert', at('out'), `file://${at('mixed')}`);
    writeFileSync(at('mixed/report.json'), JSON.stringify({ ...other, posterior: { fingerprint: 'f00d' } }));
    const found = await said('predict', at('mixed'), ...MODEL(), '--data', at('test.csv'), ...INPUTS);
    expect(found).toMatchObject({ code: 4, err: expect.stringContaining('another run') });
  });
});

it('tune is tune, and keeps what predictions need', async () => {
  const { code, out } = await said(
    'tune',
    at('out'),
    ...MODEL(),
    '--held-out',
    at('val.csv'),
    '--target',
    'kind',
    '--precisions',
    '1',
    '10',
    '--rule',
    'best',
    '--out',
    at('tuned'),
    '--json',
  );
  expect(code).toBe(0);
  const expected = await tune(
    classifier(),
    report.posterior,
    batches(examplesOf(SEEDS.val), 128),
    { precisions: [1, 10], rule: 'best' },
    { predictive: report.predictive },
  );
  expect(JSON.parse(out).predictive).toEqual(expected.predictive);
  expect(await loadPosterior(`file://${at('tuned')}`)).toEqual(expected.posterior);
  const predicted = await said('predict', at('tuned'), ...MODEL(), '--data', at('test.csv'), '--inputs', 'a', 'b', 'c');
  expect(predicted).toMatchObject({
    code: 0,
    out: expect.stringContaining('ash'),
    err: expect.stringContaining('report.json'),
  });
});

it('sample is sampleModels, and overwrites nothing', async () => {
  const args = [
    'sample',
    at('out'),
    ...MODEL(),
    '--samples',
    '2',
    '--seed',
    '7',
    '--temperature',
    '0.5',
    '--out',
    at('networks'),
  ];
  expect(await said(...args)).toMatchObject({ code: 0, out: `${at('networks/sample-0')}\n${at('networks/sample-1')}\n` });
  const drawn = await lastValueFrom(
    of(report.posterior).pipe(sampleModels(classifier(), { samples: 2, seed: 7, temperature: 0.5 }), toArray()),
  );
  for (const [i, network] of drawn.entries()) {
    const loaded = await tf.loadLayersModel(modelFiles(at(`networks/sample-${i}`)));
    expect(loaded.getWeights().map((w) => w.arraySync())).toEqual(network.getWeights().map((w) => w.arraySync()));
  }
  expect(await said(...args)).toMatchObject({ code: 3, err: expect.stringContaining('sample-0') });
  expect(readdirSync(at('networks')).sort()).toEqual(['sample-0', 'sample-1']);
});

it('coverage is coverage', async () => {
  const { out } = await said('coverage', ...MODEL(), '--likelihood', 'categorical', '--curvature', 'ekfac', '--json');
  expect(JSON.parse(out)).toMatchObject({ parameters: 45, coveredParameters: 45 });
  expect((await said('coverage', ...MODEL(), '--recipe', at('recipe.json'))).out).toContain('45 of 45 weights are covered');
});
