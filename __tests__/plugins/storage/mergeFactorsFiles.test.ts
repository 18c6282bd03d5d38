/** Factors of files on disk, added up a layer at a time: the bytes of what `merge` makes, and what is refused before anything is written. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { encodeFactors, type Factors, forget, gaussian, kfac, merge, type Part, type Progress } from 'tfjs-laplace';
import { type FactorsSource, mergeAll, piecesOfFile } from 'tfjs-laplace/extend';
import { loadFactors, mergeFactorsFiles, saveFactors } from 'tfjs-laplace/plugins/storage';
import { gradientSide } from '../../../src/curvature/structure/index.js';
import { KEPT, keptOf, ownLikelihood } from '../../support/kept.js';
import { factorsOf, right } from '../../support/math/laplace.js';
import { chain, inputsFor } from '../../support/math/networks.js';
import { bytesAsked, countingReader } from '../../support/readers.js';

const likelihoods = [ownLikelihood];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merge-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => `file://${folder}/${name}.safetensors`;
/** A part of four examples. */
const day = (dataset: string): Part => ({ dataset, first: 0, end: 4 });
const bytesAt = (name: string): Buffer => readFileSync(join(folder, `${name}.safetensors`));

/** Saves factors under three names, each with a weight of its own. */
async function threeDays(factors: Factors): Promise<string[]> {
  const days = ['monday', 'tuesday', 'wednesday'];
  for (const [i, part] of days.entries())
    await saveFactors({ ...right(forget(factors, 1 / (i + 1.5))), parts: [day(part)] }, at(part));
  return days.map(at);
}

async function loadedSum(files: ReadonlyArray<string>): Promise<Factors> {
  let sum: Factors | undefined;
  for (const file of files) {
    const next = await loadFactors(file, { likelihoods });
    sum = sum === undefined ? next : right(merge(sum, next));
  }
  return sum as Factors;
}

it.each(Object.keys(KEPT))('%s: has the bytes of the loaded sum', async (name) => {
  const files = await threeDays((await keptOf(name)).factors);
  const sum = await loadedSum(files);
  await saveFactors(sum, at('loaded'));
  const found = await mergeFactorsFiles(files, at('merged'), { likelihoods });
  expect(found).toEqual({
    where: `${folder}/merged.safetensors`,
    bytes: bytesAt('loaded').length,
    count: sum.count,
    datasetSize: sum.datasetSize,
    parts: ['monday', 'tuesday', 'wednesday'].map(day),
  });
  expect(bytesAt('merged').equals(bytesAt('loaded'))).toBe(true);
  expect(readFileSync(join(folder, 'merged.json'))).toEqual(readFileSync(join(folder, 'loaded.json')));
});

/** Factors of more than ten layers, whose names do not lie in the order of their numbers. */
async function deep(): Promise<Factors> {
  const model = chain([4, 3, 5, 3, 4, 3, 5, 3, 4, 3, 5, 2]);
  return factorsOf(model, gaussian(), { x: inputsFor(model, 4, 3), y: tf.ones([4, 2]) }, kfac(), 4);
}

it('puts more than ten layers in their order, and tells of each', async () => {
  const files = await threeDays(await deep());
  await saveFactors(await loadedSum(files), at('loaded'));
  const events: Progress[] = [];
  await mergeFactorsFiles(files, at('merged'), { onProgress: (event) => events.push(event) });
  expect(bytesAt('merged').equals(bytesAt('loaded'))).toBe(true);
  const { layout } = await loadFactors(files[0] as string);
  expect(layout.layers.length).toBeGreaterThan(10);
  const [L, K] = [layout.layers.length, files.length];
  const steps = [...files.map((_, i) => (i + 1) * L), ...Array.from({ length: K * L }, (_, i) => K * L + i + 1)];
  expect(events.map(({ done, total }) => [done, total])).toEqual(steps.map((done) => [done, 2 * K * L]));
  const added = events.slice(K).map(({ detail }) => detail);
  expect([...new Set(added)].sort()).toEqual(layout.layers.map(({ name }) => name).sort());
});

describe('mergeAll', () => {
  /** Files in memory that say how many of them are open, and what was asked of them. */
  const watched = (bytes: ReadonlyArray<Uint8Array>) => {
    const files = bytes.map((own) => ({ ...countingReader(own), opened: 0 }));
    const open = { now: 0, most: 0 };
    const sources = files.map(
      (file, i): FactorsSource => ({
        name: `file ${i}`,
        open: async (work) => {
          open.most = Math.max(open.most, ++open.now);
          file.opened++;
          return work(file).finally(() => open.now--);
        },
      }),
    );
    return { files, sources, open };
  };
  const HEAD = (bytes: Uint8Array): number => 16 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));

  it('has a layer of the sum and a piece of a file in memory, and one file open', async () => {
    const factors = await deep();
    const bytes = [0.5, 0.25, 0.125].map((keep) => right(encodeFactors(right(forget(factors, keep)))));
    const { files, sources, open } = watched(bytes);
    const pieces = piecesOfFile(await mergeAll(sources));
    for (const file of files) [file.asked.length, file.opened] = [0, 0];
    const layer = 8 * Math.max(...factors.layers.map((_, l) => sizeOf(factors, l)));
    let written = 0;
    for await (const piece of pieces) {
      if (piece.at === 0) continue;
      written += piece.bytes.length;
      for (const [i, { asked, opened }] of files.entries()) {
        expect(bytesAsked(asked) - opened * HEAD(bytes[i] as Uint8Array)).toBeLessThanOrEqual(written + layer);
      }
    }
    for (const [i, { asked, opened }] of files.entries()) {
      expect(opened).toBe(factors.layers.length);
      // The weights are those of the first file.
      const sums = written - (i === 0 ? 0 : 8 * factors.weights.reduce((sum, { data }) => sum + data.length, 0));
      expect(bytesAsked(asked) - opened * HEAD(bytes[i] as Uint8Array)).toBe(sums);
    }
    expect(open).toEqual({ now: 0, most: 1 });
  });

  it('finds a file that has changed since it was checked', async () => {
    const factors = await deep();
    const [a, b, other] = [0.5, 0.25, 0.1].map((keep) => right(encodeFactors(right(forget(factors, keep))))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    let second = b;
    const { sources } = watched([a]);
    const moving: FactorsSource = { name: 'moving', open: (work) => work(countingReader(second)) };
    const sum = await mergeAll([...sources, moving]);
    await sum.layer(0);
    second = other;
    await expect(sum.layer(1)).rejects.toMatchObject({
      kind: 'Mismatch',
      field: 'sources',
      message: expect.stringContaining('moving'),
    });
  });

  it('is merge, of shards in any number', async () => {
    const { factors } = await keptOf('kronecker');
    const shards = Array.from({ length: 40 }, (_, i) => ({
      ...right(forget(factors, 1 / (i + 2))),
      parts: [{ dataset: 'data', first: 4 * i, end: 4 * i + 4 }],
    }));
    const { sources } = watched(shards.map((own) => right(encodeFactors(own))));
    const sum = await mergeAll(sources);
    const expected = shards.slice(1).reduce<Factors>((all, own) => right(merge(all, own)), shards[0] as Factors);
    expect(sum.facts.parts).toEqual([{ dataset: 'data', first: 0, end: 160 }]);
    for (const l of expected.layers.keys()) expect((await sum.layer(l)).parts).toEqual(expected.layers[l]?.parts);
    const twice = mergeAll([...sources, sources[7] as FactorsSource]);
    await expect(twice).rejects.toMatchObject({ field: 'parts', message: expect.stringMatching(/file 7.*examples 28 to 31/) });
  });
});

const sizeOf = ({ layers, weights }: Factors, l: number): number =>
  Object.values(layers[l]?.parts ?? {}).reduce((sum, { data }) => sum + data.length, weights[l]?.data.length ?? 0);

it('takes one file, folders, and the place of a file that it adds', async () => {
  const { factors } = await keptOf('kronecker');
  await saveFactors({ ...factors, parts: [day('a')], batches: 3 }, `file://${folder}/a`);
  await saveFactors({ ...factors, parts: [day('b')] }, at('b'));
  await mergeFactorsFiles([`file://${folder}/a`], at('one'));
  expect(bytesAt('one')).toEqual(readFileSync(join(folder, 'a', 'factors.safetensors')));
  await mergeFactorsFiles([`file://${folder}/a`, at('b')], at('b'));
  expect(await loadFactors(at('b'))).toMatchObject({ count: 4, parts: [day('a'), day('b')] });
  expect((await mergeFactorsFiles([at('b')], `file://${folder}/new`)).where).toBe(`${folder}/new/factors.safetensors`);
});

it('adds parts that leave out what they have in common', async () => {
  const { factors } = await keptOf('eigen');
  const files = await threeDays(factors);
  await saveFactors(await loadedSum(files), at('loaded'));
  for (const day of ['monday', 'tuesday', 'wednesday'])
    await saveFactors(await loadFactors(at(day)), at(day), { common: 'apart' });
  await expect(mergeFactorsFiles(files, at('merged'))).rejects.toMatchObject({ kind: 'Mismatch', field: 'like' });
  await mergeFactorsFiles(files, at('merged'), { like: factors });
  expect(bytesAt('merged').equals(bytesAt('loaded'))).toBe(true);
});

describe('refuses by the name of the file, and writes nothing', () => {
  const refused = async (files: ReadonlyArray<string>, expected: object): Promise<void> => {
    const before = readdirSync(folder);
    await expect(mergeFactorsFiles(files, at('out'))).rejects.toMatchObject(expected);
    expect(readdirSync(folder)).toEqual(before);
  };
  const naming = (...words: ReadonlyArray<string>) => expect.stringMatching(new RegExp(words.join('.*')));

  it('a part that is there already', async () => {
    const [monday, tuesday] = (await threeDays((await keptOf('kronecker')).factors)) as [string, string];
    await saveFactors(await loadFactors(monday), at('copy'));
    const message = naming('copy.safetensors cannot be added', '"monday"');
    await refused([monday, tuesday, at('copy')], { kind: 'Mismatch', field: 'parts', message });
  });

  it('another layout, other weights, something else', async () => {
    const { factors, posterior } = await keptOf('kronecker');
    await saveFactors(factors, at('first'));
    await saveFactors((await keptOf('diagonal')).factors, at('diagonal'));
    await saveFactors({ ...factors, fingerprint: 'f00d' }, at('moved'));
    writeFileSync(join(folder, 'text.safetensors'), 'text');
    const cases = [
      ['diagonal', { kind: 'Mismatch' }],
      ['moved', { kind: 'Mismatch', field: 'fingerprint' }],
      ['text', { kind: 'InvalidFile' }],
      ['missing', { kind: 'Storage', field: 'where' }],
    ] as const;
    expect(posterior._tag).toBe('Posterior');
    for (const [name, error] of cases)
      await refused([at('first'), at(name)], { ...error, message: naming(`${name}.safetensors`) });
  });

  it('damage anywhere', async () => {
    const { factors } = await keptOf('kronecker');
    await saveFactors(factors, at('first'));
    const bytes = right(encodeFactors(factors));
    for (let place = 0; place < bytes.length; place += 97) {
      const changed = Uint8Array.from(bytes);
      changed[place] = (changed[place] as number) ^ 4;
      writeFileSync(join(folder, 'second.safetensors'), changed);
      await refused([at('first'), at('second')], { kind: 'InvalidFile', message: naming('second.safetensors cannot be added') });
    }
  });

  it('the same file twice, under whichever name', async () => {
    await saveFactors((await keptOf('kronecker')).factors, at('first'));
    symlinkSync(join(folder, 'first.safetensors'), join(folder, 'link.safetensors'));
    const message = naming('cannot be added');
    await refused([at('first'), at('first')], { kind: 'Mismatch', field: 'files', message });
    await refused([at('first'), at('link')], { kind: 'Mismatch', field: 'files', message });
  });

  it('sums that are infinite', async () => {
    const { factors } = await keptOf('full');
    const huge = (part: string): Factors => ({
      ...factors,
      parts: [day(part)],
      layers: factors.layers.map((layer) => ({
        structure: 'full',
        parts: { gradient: { ...gradientSide(layer), data: gradientSide(layer).data.map(() => 1.5e308) } },
      })),
    });
    await saveFactors(huge('a'), at('a'));
    await saveFactors(huge('b'), at('b'));
    await refused([at('a'), at('b')], { kind: 'NotFinite', field: 'layers.0.gradient' });
  });
});

it('refuses other places, no file, and options that it does not know', async () => {
  await saveFactors((await keptOf('kronecker')).factors, at('first'));
  for (const call of [
    () => mergeFactorsFiles([], at('out')),
    () => mergeFactorsFiles(['http://host/file'], at('out')),
    () => mergeFactorsFiles(at('first') as never, at('out')),
    () => mergeFactorsFiles([at('first')], 'indexeddb://out'),
    () => mergeFactorsFiles([at('first')], undefined as never),
    () => mergeFactorsFiles([at('first')], at('out'), { onProgress: 3 as never }),
    () => mergeFactorsFiles([at('first')], at('out'), { dtype: 'F32' } as never),
  ])
    await expect(call()).rejects.toMatchObject({ kind: 'InvalidOption' });
  expect(readdirSync(folder).sort()).toEqual(['first.json', 'first.safetensors']);
});
