import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadPosterior, modelFiles, savePosterior } from 'tfjs-laplace/plugins/storage';
import { keptOf } from '../../support/kept.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'laplace-model-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const model = () =>
  withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
        tf.layers.batchNormalization(),
        tf.layers.dense({ units: 3 }),
      ],
    }),
  );

it.each(['', '/', '/model.json'])('gives the same model back from the path with %j', async (end) => {
  const own = model();
  own.setUserDefinedMetadata({ mine: 1 });
  await own.save(modelFiles(`file://${folder}/new${end}`));
  const loaded = await tf.loadLayersModel(modelFiles(`${folder}/new`));
  expect(loaded.getWeights().map((w) => w.arraySync())).toEqual(own.getWeights().map((w) => w.arraySync()));
  expect(loaded.getUserDefinedMetadata()).toEqual({ mine: 1 });
  const x = tensor([2, 4], 1);
  expect((loaded.predict(x) as tf.Tensor).arraySync()).toEqual((own.predict(x) as tf.Tensor).arraySync());
});

it('reads weights that are cut into shards', async () => {
  const own = model();
  let kept: tf.io.ModelArtifacts | undefined;
  await own.save({
    save: async (artifacts) => {
      kept = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  const { weightData, weightSpecs = [], ...rest } = kept as tf.io.ModelArtifacts;
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData as ArrayBuffer));
  const paths = ['group1-shard1of3', 'group1-shard2of3', 'group1-shard3of3'];
  paths.forEach((name, i) => writeFileSync(join(folder, name), bytes.subarray(i * 50, i === 2 ? bytes.length : (i + 1) * 50)));
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ ...rest, weightsManifest: [{ paths, weights: weightSpecs }] }));
  const loaded = await tf.loadLayersModel(modelFiles(folder));
  expect(loaded.getWeights().map((w) => w.arraySync())).toEqual(own.getWeights().map((w) => w.arraySync()));
});

it.each([
  ['nothing', undefined, 'Storage'],
  ['no JSON', '{', 'InvalidFile'],
  ['another JSON file', '{}', 'InvalidFile'],
  ['a model without its weights', '{"modelTopology":{},"weightsManifest":[{"paths":["gone.bin"],"weights":[]}]}', 'Storage'],
])('says what is wrong with %s', async (_name, content, kind) => {
  if (content !== undefined) writeFileSync(join(folder, 'model.json'), content);
  await expect(tf.loadLayersModel(modelFiles(folder))).rejects.toMatchObject({ kind });
});

it('leaves nothing where it cannot write', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(model().save(modelFiles(join(folder, 'file')))).rejects.toMatchObject({ kind: 'Storage' });
  expect(readdirSync(folder)).toEqual(['file']);
});

/** The handlers of tfjs-node, where its kernels run. */
const native = tf.io.getSaveHandlers('file://x').length > 0;
if (!native) process.stderr.write("tfjs-node's own handlers of files are not there: their tests are skipped.\n");

(native ? describe : describe.skip)('beside the handlers of tfjs-node', () => {
  const equal = (a: tf.LayersModel, b: tf.LayersModel): void =>
    expect(a.getWeights().map((w) => w.arraySync())).toEqual(b.getWeights().map((w) => w.arraySync()));

  it('reads what they write, and they read what it writes', async () => {
    const own = model();
    await own.save(`file://${folder}/theirs`);
    equal(await tf.loadLayersModel(modelFiles(`${folder}/theirs`)), own);
    await own.save(modelFiles(`${folder}/ours`));
    equal(await tf.loadLayersModel(`file://${folder}/ours/model.json`), own);
  });

  it('keeps a posterior beside a model that they have written', async () => {
    const { model: kept, posterior } = await keptOf('kronecker');
    await kept.save(`file://${folder}`);
    await savePosterior(posterior, `file://${folder}`);
    const loaded = await tf.loadLayersModel(`file://${folder}/model.json`);
    expect(await loadPosterior(`file://${folder}`, { model: loaded })).toStrictEqual(posterior);
    // Their handler carries the bytes of a posterior too, as weights.
    const [save] = tf.io.getSaveHandlers(`file://${folder}/carried`);
    const [load] = tf.io.getLoadHandlers(`file://${folder}/carried/model.json`);
    await savePosterior(posterior, save as tf.io.IOHandler);
    expect(await loadPosterior(load as tf.io.IOHandler)).toStrictEqual(posterior);
  });
});
