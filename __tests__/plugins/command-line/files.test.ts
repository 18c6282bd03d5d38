/** The commands on files of the library: inspect, merge and convert. */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  encodeFactors,
  evidence,
  type Factors,
  merge,
  observe,
  orThrow,
  type Posterior,
} from 'tfjs-laplace';
import { loadFactors, loadPosterior, modelFiles, saveFactors, savePosterior, writeWhole } from 'tfjs-laplace/plugins/storage';
import { posteriorFrom } from '../../support/math/laplace.js';
import { classifier, examplesOf, said, workFolder } from './folder.js';

let work: Awaited<ReturnType<typeof workFolder>>;
let parts: ReadonlyArray<Factors>;
let posterior: Posterior;
const at = (name: string): string => work.at(name);
const place = (name: string): string => `file://${at(name)}`;
const DAYS = [0, 1, 2].map((day) => `day-${day}.safetensors`);

/** Factors of three days; those of `ekfac` are in the basis of a posterior. */
async function days(basis?: Posterior): Promise<ReadonlyArray<Factors>> {
  const found: Factors[] = [];
  for (const seed of [1, 2, 3]) {
    const own = { part: `day ${seed - 1}`, ...(basis && { basis }) };
    const data = from(batches(examplesOf(seed), 16)).pipe(observe(classifier(), 'categorical'));
    found.push(await lastValueFrom(data.pipe(accumulateFactors(basis ? 'ekfac' : 'kfac', own))));
  }
  return found;
}

beforeAll(async () => {
  work = await workFolder();
  parts = await days();
  for (const [i, day] of DAYS.entries()) await saveFactors(parts[i] as Factors, place(day));
  posterior = await posteriorFrom(parts[0] as Factors, { priorPrecision: 3 });
  await savePosterior(posterior, place('posterior'));
});
afterAll(() => work.remove());

describe('inspect', () => {
  it('tells what a posterior is, and whether it fits', async () => {
    const { code, out } = await said('inspect', at('posterior'), '--model', at('model'), '--json');
    expect(code).toBe(0);
    const about = JSON.parse(out);
    expect(about).toMatchObject({ kind: 'posterior', fits: true, examples: 40, fingerprint: posterior.fingerprint });
    // The sum over layers is taken in another order.
    expect(about.logMarginalLikelihood).toBeCloseTo(evidence(posterior).logMarginalLikelihood, 9);
  });

  it('ends with 4 for a model with other weights, and for one that computes something else with them', async () => {
    const weights = classifier().getWeights();
    const saved = async (name: string, activation: 'tanh' | 'relu', scale: number): Promise<string> => {
      const layers = [
        tf.layers.dense({ units: 6, activation, inputShape: [3], name: 'hidden' }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }),
      ];
      const model = tf.sequential({ layers });
      model.setWeights(weights.map((own) => tf.mul(own, scale)));
      await model.save(modelFiles(at(name)));
      return at(name);
    };
    for (const [name, activation, scale, field] of [
      ['doubled', 'tanh', 2, 'weights'],
      ['bent', 'relu', 1, 'computes something else'],
    ] as const) {
      for (const file of ['posterior/laplace.safetensors', DAYS[0] as string]) {
        const other = await said('inspect', at(file), '--model', await saved(name, activation, scale));
        expect(other).toMatchObject({
          code: 4,
          out: expect.stringContaining('fits the model: no'),
          err: expect.stringContaining(field),
        });
      }
    }
  });

  it('tells what factors are', async () => {
    const { out } = await said('inspect', at(DAYS[0] as string));
    expect(out).toMatch(/kind: factors[\s\S]*examples: 40[\s\S]*hidden +kronecker/);
    expect((await said('inspect', at(DAYS[0] as string), '--model', at('model'), '--json')).out).toContain('"fits":true');
  });

  it('ends with 3 for a damaged file', async () => {
    const bytes = readFileSync(at('posterior/laplace.safetensors'));
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1;
    await writeWhole(at('damaged.safetensors'), bytes);
    expect(await said('inspect', at('damaged.safetensors'))).toMatchObject({ code: 3, out: '' });
  });
});

it('merge is merge, and names the file that does not belong', async () => {
  const files = DAYS.map(at);
  expect((await said('merge', ...files, '--out', at('days.safetensors'))).code).toBe(0);
  const [a, b, c] = parts as [Factors, Factors, Factors];
  expect(await loadFactors(place('days.safetensors'))).toEqual(orThrow(merge(orThrow(merge(a, b)), c)));
  copyFileSync(files[1] as string, at('copy.safetensors'));
  const twice = await said('merge', ...files, at('copy.safetensors'), '--out', at('twice.safetensors'));
  expect(twice).toMatchObject({ code: 4, err: expect.stringMatching(/copy\.safetensors.*"day 1"/) });
  expect(existsSync(at('twice.safetensors'))).toBe(false);
});

it('parts that leave out what they share have it from --like: the posterior of the basis', async () => {
  const [a, b] = (await days(posterior)) as [Factors, Factors];
  const apart = [at('apart-0.safetensors'), at('apart-1.safetensors')];
  for (const [i, part] of [a, b].entries())
    await writeWhole(apart[i] as string, orThrow(encodeFactors(part, { common: 'apart' })));
  const like = ['--like', at('posterior')];
  expect(await said('inspect', apart[0] as string)).toMatchObject({ code: 4, err: expect.stringContaining('leaves out') });
  expect((await said('inspect', apart[0] as string, ...like)).out).toContain('ekfac');
  expect((await said('merge', ...apart, ...like, '--out', at('whole.safetensors'))).code).toBe(0);
  expect(await loadFactors(place('whole.safetensors'))).toEqual(orThrow(merge(a, b)));
  expect((await said('convert', apart[1] as string, at('one.safetensors'), ...like)).code).toBe(0);
  expect(await loadFactors(place('one.safetensors'))).toEqual(b);
  const other = await said('merge', ...apart, '--like', at(DAYS[0] as string), '--out', at('none.safetensors'));
  expect(other).toMatchObject({ code: 4, err: expect.stringContaining('layout') });
});

it('convert changes numbers, and makes posteriors of factors', async () => {
  await said('convert', at('posterior'), at('small.safetensors'), '--dtype', 'F16');
  const [small, whole] = [at('small.safetensors'), at('posterior/laplace.safetensors')].map((file) => readFileSync(file).length);
  expect(small).toBeLessThan((whole as number) / 1.5);
  expect((await said('convert', at(DAYS[0] as string), place('made'), '--prior', '10')).code).toBe(0);
  const made = await loadPosterior(place('made'));
  expect(made.layers.map(({ priorPrecision }) => priorPrecision)).toEqual([10, 10]);
  expect(made.datasetSize).toBe(40);
});
