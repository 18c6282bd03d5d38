/** A plugin whose optional package is missing names it. npm run install-check shows the same where nothing is installed. */
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLaplaceError } from 'tfjs-laplace';
import { optionalPackage } from 'tfjs-laplace/extend';
import { readData } from 'tfjs-laplace/plugins/data-files';
import { curves, pngOf, writePicture } from 'tfjs-laplace/plugins/plots';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';

/** Makes a mocked package one that is not installed, in the words of Node. */
const mockMissing = (name: string): never => {
  throw Object.assign(new Error(`Cannot find package '${name}' imported from x.js`), { code: 'ERR_MODULE_NOT_FOUND' });
};
jest.mock('@resvg/resvg-js', () => mockMissing('@resvg/resvg-js'));
jest.mock('vega', () => mockMissing('vega'));
jest.mock('cli-progress', () => mockMissing('cli-progress'));
jest.mock('csv-parse/sync', () => mockMissing('csv-parse'));
jest.mock('hyparquet', () => mockMissing('hyparquet'));

const failure = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!isLaplaceError(error)) throw new Error(`expected a LaplaceError, found ${error}`);
  return error;
};

describe('a package that does not load', () => {
  const of = (name: string, thrown: unknown) => failure(optionalPackage('A feature', name, () => Promise.reject(thrown)));

  it.each([
    ['in ES modules', "Cannot find package 'some-package' imported from /a/b.js"],
    ['in CommonJS', "Cannot find module 'some-package'\nRequire stack:\n- /a/b.cjs"],
  ])('is not installed: %s', async (_, message) => {
    const cause = new Error(message);
    const error = await of('some-package', cause);
    expect([error.kind, error.cause]).toEqual(['Backend', cause]);
    expect(error.message).toBe('A feature needs the package some-package, which is not installed. npm install some-package');
  });

  it.each([
    ['a part of it is missing', new Error("Cannot find module 'some-package-linux-x64'\nRequire stack:")],
    ['it throws', new Error('Cannot read properties of undefined')],
    ['it throws what is no error', 'a string'],
  ])('has another fault, which is told: %s', async (_, thrown) => {
    const error = await of('some-package', thrown);
    expect(error.message).toContain('which does not load: found ');
    expect(error.found).toBe(thrown instanceof Error ? thrown.message.split('\n')[0] : thrown);
  });
});

it('a package that loads is handed on', async () => {
  expect(await optionalPackage('A feature', 'some-package', async () => 7)).toBe(7);
});

it('a PNG names its renderer, and no half of a picture is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'optional-'));
  for (const attempt of [pngOf('<svg/>'), writePicture(join(folder, 'new'), 'picture', '<svg/>')])
    expect((await failure(attempt)).message).toBe(
      'A PNG picture needs the package @resvg/resvg-js, which is not installed. npm install @resvg/resvg-js',
    );
  expect(existsSync(join(folder, 'new'))).toBe(false);
  rmdirSync(folder);
});

it('a chart names all that it needs', async () => {
  const error = await failure(
    curves({ title: 'Title', xAxis: 'x', yAxis: 'y', curves: [{ name: 'a', points: [{ x: 0, y: 0 }] }] }),
  );
  expect(error.message).toBe(
    'A chart needs the package vega, which is not installed. npm install vega vega-lite @resvg/resvg-js',
  );
});

it('a bar names its package before the step begins; without a bar nothing is needed', async () => {
  const work = jest.fn(async () => 1);
  const written: string[] = [];
  const step = (isTTY: boolean) =>
    terminalProgress({ output: { isTTY, write: (text) => written.push(text) } }).step('Predicting', work);
  expect((await failure(step(true))).message).toContain('npm install cli-progress');
  expect(work).not.toHaveBeenCalled();
  expect(written).toEqual([]);
  expect(await step(false)).toBe(1);
});

it.each([
  ['A CSV file', 'csv-parse', 'csv'],
  ['A Parquet file', 'hyparquet', 'parquet'],
] as const)('%s names its reader', async (feature, name, format) => {
  expect((await failure(readData(['package.json'], { format }))).message).toBe(
    `${feature} needs the package ${name}, which is not installed. npm install ${name}`,
  );
});
