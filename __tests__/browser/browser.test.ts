/** The built package in a browser: bundled by Vite as it comes, run in headless Chromium, and compared with Node's numbers. */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import type { Browser } from 'playwright-core';
import { savePosterior } from 'tfjs-laplace/plugins/storage';
import { keptOf } from '../support/kept.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { type Analysis, analysis } from './analysis.js';
import { findChromium, launch } from './chromium.js';
import { variancesOf } from './kept.js';
import type { Page } from './page/main.js';
import { serve } from './serve.js';

declare const page: Page;

/** Writes a model as tfjs's own handler for files does, which not every backend brings along. */
const modelFiles = (folder: string): tf.io.IOHandler =>
  tf.io.withSaveHandler(async ({ weightData, weightSpecs = [], ...artifacts }) => {
    const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
    writeFileSync(join(folder, 'model.json'), JSON.stringify({ ...artifacts, weightsManifest: manifest }));
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });

interface Bundle {
  readonly what?: string;
  readonly size: { readonly minified: number; readonly gzip: number };
  readonly askForNode: ReadonlyArray<string>;
}

/** There is no GPU where tests run, and tfjs refuses WebGL by software unless it is told. */
const SOFTWARE = { SOFTWARE_WEBGL_ENABLED: true };

/** Float32 in another order of sums, as in all tests of such networks; found 4e-7. Samples in another eigenbasis differ by 1e-1. */
const TOLERANCE = FLOAT32;

/**
 * Only a stream that never answers is silent for so many milliseconds. This is less than the time-out of a test, so that the test can
 * name the stream.
 */
const SILENCE = 300_000;

const app = realpathSync(mkdtempSync(join(tmpdir(), 'browser-')));
const inNode: { bundles: Record<string, Bundle>; analysis: Analysis } = {} as never;
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'build.mjs'), app]);
  inNode.bundles = JSON.parse(stdout);
  inNode.analysis = await analysis();
});
afterAll(() => rmSync(app, { recursive: true }));

const bundle = (name: string): Bundle => inNode.bundles[name] as Bundle;

describe('a bundle for browsers', () => {
  it.each(['page', 'own', 'everything', 'few', 'whole'])('%s: nothing but tfjs itself asks for a module of Node', (name) => {
    const others = bundle(name).askForNode.filter((file) => !/node_modules\/(@tensorflow|seedrandom)\//.test(file));
    expect(others).toEqual([]);
  });

  it('would be found out: a plugin that is for Node asks for its modules', () => {
    expect(bundle('forNode').askForNode.join()).toContain('plugins/plots');
  });

  it.each([
    ['own', 629, 230],
    ['everything', 723, 254],
    ['few', 476, 167],
    ['whole', 835, 263],
  ])('%s is below %d kB, %d kB compressed, as README says', (name, minified, gzip) => {
    const { size } = bundle(name);
    expect(size.minified / 1000).toBeLessThan(minified);
    expect(size.gzip / 1000).toBeLessThan(gzip);
  });
});

const chromium = findChromium(process.env);
if (chromium === undefined) {
  process.stderr.write(
    'Tests in a browser are skipped: no Chromium is found; install one, or say where it is with CHROME_PATH.\n',
  );
}

(chromium === undefined ? describe.skip : describe)('in Chromium', () => {
  let browser: Browser;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    ({ server, url } = await serve(join(app, 'page', 'dist')));
    browser = await launch(chromium as string);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Opens the page, after `before` has run in it, and starts a backend; every complaint of the page fails the test. */
  async function open(backend?: string, flags: Readonly<Record<string, boolean>> = SOFTWARE, before = (): void => {}) {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.addInitScript(before);
    await tab.goto(url);
    await tab.waitForFunction(() => 'page' in globalThis);
    if (backend !== undefined) await tab.evaluate(([name, own]) => page.use(name, own), [backend, flags] as const);
    return { tab, complaints };
  }

  /** As Node has it: the same network, posterior, predictions and samples. */
  function expectNodes(found: Analysis): void {
    const expected = inNode.analysis;
    expect(relativeError(found.weights, expected.weights)).toBeLessThan(TOLERANCE);
    expect(relativeError(found.logMarginalLikelihood, expected.logMarginalLikelihood)).toBeLessThan(TOLERANCE);
    for (const way of ['linearised', 'sampled'] as const) {
      expect(relativeError(found[way].probabilities, expected[way].probabilities)).toBeLessThan(TOLERANCE);
      expect(relativeError(found[way].entropy, expected[way].entropy)).toBeLessThan(TOLERANCE);
      // A difference of entropies of order 1, whose rounding stays.
      expect(relativeError([1, ...found[way].mutualInformation], [1, ...expected[way].mutualInformation])).toBeLessThan(
        TOLERANCE,
      );
    }
    expect(found.members).toHaveLength(3);
    expect(relativeError(found.members, expected.members)).toBeLessThan(TOLERANCE);
    expect(found.tensorsLeft).toBe(0);
  }

  it.each([
    ['wasm', 'wasm', {}],
    ['wasm without SIMD', 'wasm', { WASM_HAS_SIMD_SUPPORT: false }],
    ['webgl', 'webgl', SOFTWARE],
  ])('%s trains with the callback, predicts and samples as Node does', async (_, backend, flags) => {
    const { tab, complaints } = await open(backend, flags);
    const found = await tab.evaluate(() => page.analysis());
    expect(found.backend).toBe(backend);
    expectNodes(found);
    expect(complaints).toEqual([]);
    await tab.close();
  });

  it('loads a posterior of Node from a server, keeps it with its model in IndexedDB, and predicts as Node does', async () => {
    const { model, posterior } = await keptOf('kronecker');
    const folder = join(app, 'page', 'dist', 'models');
    await savePosterior(posterior, `file://${folder}`);
    await model.save(modelFiles(folder));
    const { tab, complaints } = await open('wasm', {});
    const found = await tab.evaluate((place) => page.kept(place), `${url}models`);
    const expected = await variancesOf(model, posterior);
    expect(relativeError(found.fromServer, expected)).toBeLessThan(TOLERANCE);
    expect(found.fromStore).toEqual(found.fromServer);
    expect([...found.keys].sort()).toEqual(['indexeddb://kept', 'indexeddb://kept/laplace']);
    expect(found.metadata).toEqual({ laplace: { file: 'indexeddb://kept/laplace', fingerprint: posterior.fingerprint } });
    expect(complaints).toEqual([]);
    await tab.close();
  });

  it('a browser without WebAssembly is told so', async () => {
    const { tab } = await open(undefined, {}, () => Reflect.deleteProperty(globalThis, 'WebAssembly'));
    expect(await tab.evaluate(() => page.refusedBackend('wasm'))).toMatch(/^Backend: The backend 'wasm' does not work/);
    await tab.close();
  });

  it('a GPU of 16-bit floats is refused', async () => {
    const { tab } = await open('webgl', { ...SOFTWARE, WEBGL_FORCE_F16_TEXTURES: true });
    expect(await tab.evaluate(() => page.refusal())).toMatch(/^Backend: The WebGL backend computes in 16 bits here/);
    await tab.close();
  });

  it('a lost WebGL context is an error of every stream, not silence', async () => {
    const { tab: list } = await open();
    const names = await list.evaluate(() => page.streams());
    await list.close();
    expect(names.length).toBeGreaterThan(5);
    const outcomes = new Map<string, string>();
    for (const name of names) {
      const { tab } = await open('webgl');
      outcomes.set(name, await tab.evaluate(([stream, silence]) => page.lostContext(stream, silence), [name, SILENCE] as const));
      await tab.close();
    }
    const lost = /^Backend: The WebGL context was lost/;
    expect([...outcomes].filter(([, outcome]) => !lost.test(outcome))).toEqual([]);
  });
});
