/** Posteriors and factors on disk, on a server and in handlers of tf.io: what is written, what is read again, and what goes wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { encodePosterior, gaussian, merge, weightSampling } from 'tfjs-laplace';
import { loadFactors, loadPosterior, modelFiles, saveFactors, savePosterior } from 'tfjs-laplace/plugins/storage';
import { type Kept, keptOf } from '../../support/kept.js';
import { predictOne, right } from '../../support/math/laplace.js';

let own: Kept;
let folder: string;
beforeAll(async () => {
  own = await keptOf('kronecker');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'storage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A handler that keeps one thing in memory. */
function memory(): tf.io.IOHandler & { kept?: tf.io.ModelArtifacts } {
  const handler: tf.io.IOHandler & { kept?: tf.io.ModelArtifacts } = {
    save: async (artifacts) => {
      handler.kept = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
    load: async () => handler.kept as tf.io.ModelArtifacts,
  };
  return handler;
}

describe('on disk', () => {
  it('keeps a posterior in a folder that did not exist, with words about it', async () => {
    const where = `file://${folder}/a/b`;
    const saved = await savePosterior(own.posterior, where);
    expect(saved).toEqual({ where: `${folder}/a/b/laplace.safetensors`, bytes: right(encodePosterior(own.posterior)).length });
    expect(readdirSync(`${folder}/a/b`).sort()).toEqual(['laplace.json', 'laplace.safetensors']);
    expect(JSON.parse(readFileSync(`${folder}/a/b/laplace.json`, 'utf8'))).toMatchObject({
      format: 'tfjs-laplace',
      kind: 'posterior',
      fingerprint: own.posterior.fingerprint,
      likelihood: 'gaussian',
      layers: [{ structure: 'kronecker', priorPrecision: 0.3 }, {}],
    });
    const again = await loadPosterior(where, { model: own.model });
    expect(again).toStrictEqual(own.posterior);
    const x = own.x[0] as tf.Tensor;
    expect(await predictOne(own.model, again, weightSampling({ samples: 3, seed: 4 }), x)).toEqual(
      await predictOne(own.model, own.posterior, weightSampling({ samples: 3, seed: 4 }), x),
    );
  });

  it('keeps factors, beside a posterior, under a name of one’s own, in a smaller format', async () => {
    await savePosterior(own.posterior, `file://${folder}`);
    await saveFactors(own.factors, `file://${folder}`);
    expect(readdirSync(folder).sort()).toEqual(['factors.json', 'factors.safetensors', 'laplace.json', 'laplace.safetensors']);
    const again = await loadFactors(`file://${folder}`);
    expect(again).toStrictEqual(own.factors);
    expect(right(merge(again, own.factors)).count).toBe(4);
    const { where, bytes } = await saveFactors(own.factors, `file://${folder}/monday.safetensors`, { dtype: 'F32' });
    expect(where).toBe(`${folder}/monday.safetensors`);
    expect(bytes).toBeLessThan((await saveFactors(own.factors, `file://${folder}`)).bytes);
    expect((await loadFactors(`file://${folder}/monday.safetensors`)).count).toBe(2);
  });

  it('leaves the former file as it was where it fails, and nothing else', async () => {
    await savePosterior(own.posterior, `file://${folder}`);
    const before = readdirSync(folder);
    await expect(savePosterior({ ...own.posterior, logLikelihood: Number.NaN }, `file://${folder}`)).rejects.toMatchObject({
      kind: 'NotFinite',
    });
    expect(await loadPosterior(`file://${folder}`)).toStrictEqual(own.posterior);
    // A folder in the way of the new file: the last step fails.
    mkdirSync(join(folder, 'taken.safetensors'));
    await expect(savePosterior(own.posterior, `file://${folder}/taken.safetensors`)).rejects.toMatchObject({ kind: 'Storage' });
    expect(readdirSync(folder)).toEqual([...before, 'taken.safetensors']);
  });

  it('says which file is missing, is a folder, or cannot be written', async () => {
    await expect(loadPosterior(`file://${folder}/nowhere`)).rejects.toMatchObject({
      kind: 'Storage',
      field: 'where',
      message: expect.stringContaining('nowhere/laplace.safetensors'),
    });
    writeFileSync(join(folder, 'file'), '');
    await expect(savePosterior(own.posterior, `file://${folder}/file`)).rejects.toMatchObject({ kind: 'Storage' });
    if (process.getuid?.() === 0) return; // Nothing is closed to root.
    chmodSync(folder, 0o500);
    await expect(savePosterior(own.posterior, `file://${folder}`)).rejects.toMatchObject({ kind: 'Storage' });
    chmodSync(folder, 0o700);
  });

  it('tells a damaged file, and one of something else', async () => {
    await savePosterior(own.posterior, `file://${folder}`);
    const path = join(folder, 'laplace.safetensors');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 1));
    await expect(loadPosterior(`file://${folder}`)).rejects.toMatchObject({ kind: 'InvalidFile' });
    await saveFactors(own.factors, `file://${path}`);
    await expect(loadPosterior(`file://${path}`)).rejects.toMatchObject({ kind: 'InvalidFile', field: 'kind' });
  });
});

describe('with the model', () => {
  it('keeps both in one folder, and the model names the file', async () => {
    const { model, posterior } = await keptOf('kronecker');
    await savePosterior(posterior, `file://${folder}`, { model });
    expect(readdirSync(folder).sort()).toEqual(['laplace.json', 'laplace.safetensors', 'model.json', 'weights.bin']);
    const loaded = await tf.loadLayersModel(modelFiles(folder));
    expect(loaded.getUserDefinedMetadata()).toEqual({
      laplace: { file: 'laplace.safetensors', fingerprint: posterior.fingerprint },
    });
    expect(await loadPosterior(`file://${folder}`, { model: loaded })).toStrictEqual(posterior);
  });

  it('refuses a model of other weights, when saving and when loading', async () => {
    const other = (await keptOf('kronecker')).model;
    other.setWeights(other.getWeights().map((w) => tf.add(w, 1)));
    await savePosterior(own.posterior, `file://${folder}`);
    for (const work of [
      () => savePosterior(own.posterior, `file://${folder}`, { model: other }),
      () => loadPosterior(`file://${folder}`, { model: other }),
    ])
      await expect(work()).rejects.toMatchObject({ kind: 'Mismatch', field: 'fingerprint' });
  });

  it('refuses places that keep one thing', async () => {
    for (const where of [memory(), 'http://localhost:1/upload', 'downloads://wave', `file://${folder}/own.safetensors`]) {
      await expect(savePosterior(own.posterior, where, { model: own.model })).rejects.toMatchObject({
        kind: 'InvalidOption',
        field: 'model',
      });
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves the metadata of the model as they were if it cannot be saved', async () => {
    const { model, posterior } = await keptOf('kronecker');
    model.setUserDefinedMetadata({ mine: 1 });
    // No backend here brings a handler for stores of browsers.
    await expect(savePosterior(posterior, 'indexeddb://wave', { model })).rejects.toMatchObject({ kind: 'Storage' });
    expect(model.getUserDefinedMetadata()).toEqual({ mine: 1 });
  });
});

describe('in a handler', () => {
  it('keeps every bit', async () => {
    const handler = memory();
    await savePosterior(own.posterior, handler);
    expect(await loadPosterior(handler)).toStrictEqual(own.posterior);
    expect(handler.kept?.modelTopology).toMatchObject({ kind: 'posterior' });
    await saveFactors(own.factors, handler);
    expect(await loadFactors(handler)).toStrictEqual(own.factors);
  });

  it('tells a model from a posterior, and a handler that cannot', async () => {
    const handler = memory();
    await own.model.save(handler);
    await expect(loadPosterior(handler)).rejects.toMatchObject({ kind: 'Storage', message: expect.stringContaining('model') });
    await expect(loadPosterior({ save: handler.save as never })).rejects.toMatchObject({ kind: 'Storage' });
    await expect(savePosterior(own.posterior, { load: handler.load as never })).rejects.toMatchObject({ kind: 'Storage' });
  });
});

describe('on a server', () => {
  let server: Server;
  let url: string;
  const received: Buffer[] = [];
  beforeAll(async () => {
    const bytes = right(encodePosterior(own.posterior));
    const answer = (path: string): Uint8Array | undefined =>
      path === '/models/laplace.safetensors' ? bytes : path === '/bad/laplace.safetensors' ? bytes.subarray(8) : undefined;
    server = createServer(async (request: IncomingMessage, response) => {
      if (request.method === 'POST') {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        received.push(Buffer.concat(parts));
        response.writeHead(200).end();
        return;
      }
      const found = answer(new URL(request.url ?? '', 'http://localhost').pathname);
      response.writeHead(found === undefined ? 404 : 200).end(found);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it.each(['models', 'models/', 'models/model.json', 'models/laplace.safetensors', 'models/model.json?v=3'])(
    'is found from %s',
    async (path) => {
      expect(await loadPosterior(`${url}/${path}`)).toStrictEqual(own.posterior);
    },
  );

  it('says what the server answers', async () => {
    await expect(loadPosterior(`${url}/other`)).rejects.toMatchObject({
      kind: 'Storage',
      message: expect.stringContaining('404'),
    });
    await expect(loadPosterior(`${url}/bad`)).rejects.toMatchObject({ kind: 'InvalidFile' });
    await expect(loadPosterior('http://127.0.0.1:1/models')).rejects.toMatchObject({ kind: 'Storage' });
  });

  it('posts the bytes as model.save does', async () => {
    await savePosterior(own.posterior, `${url}/upload`);
    const bytes = Buffer.from(right(encodePosterior(own.posterior)));
    expect(received.at(-1)?.includes(bytes)).toBe(true);
  });
});

it('refuses places that it does not know, and those that are not here', async () => {
  for (const where of ['models/wave', 'ftp://host/file', 'file://', 'http://', 'http://a b', 3, undefined]) {
    await expect(savePosterior(own.posterior, where as never)).rejects.toMatchObject({ kind: 'InvalidOption', field: 'where' });
    await expect(loadPosterior(where as never)).rejects.toMatchObject({ kind: 'InvalidOption', field: 'where' });
  }
  for (const where of ['indexeddb://wave', 'downloads://wave'])
    await expect(savePosterior(own.posterior, where)).rejects.toMatchObject({ kind: 'Storage' });
  await expect(loadPosterior('downloads://wave')).rejects.toMatchObject({
    kind: 'Storage',
    message: expect.stringContaining('decodePosterior'),
  });
  await expect(savePosterior(own.posterior, `file://${folder}`, { format: 'x' } as never)).rejects.toMatchObject({
    kind: 'InvalidOption',
  });
  expect(existsSync(join(folder, 'laplace.safetensors'))).toBe(false);
  await savePosterior(own.posterior, `file://${folder}`);
  await saveFactors(own.factors, `file://${folder}`);
  for (const load of [loadPosterior, loadFactors])
    for (const options of [{ format: 'x' }, { verify: false }])
      await expect(load(`file://${folder}`, options as never)).rejects.toMatchObject({ kind: 'InvalidOption' });
});

/** A process that saves one posterior after another, as fast as it can, and says when the first is there. */
const saver = (path: string): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'saver.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] });

it('has a whole file after the process was killed at any moment', async () => {
  const path = join(folder, 'laplace.safetensors');
  await savePosterior(own.posterior, `file://${path}`);
  for (let kill = 0; kill < 6; kill++) {
    const child = saver(path);
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 7 * kill + 3));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const { likelihood, datasetSize } = await loadPosterior(`file://${path}`);
    expect(likelihood).toEqual(gaussian());
    expect(datasetSize).toBeGreaterThan(0);
  }
}, 120_000);
