/** Every example of the documentation compiles and does what its comments say. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { compile, typeErrors } from './compile.js';
import { examplesIn } from './extract.js';

const ROOT = join(__dirname, '..', '..');

const documents = ['src', 'plugins', 'README.md', 'docs/extending.md', 'docs/faults.md']
  .map((path) => join(ROOT, path))
  .filter(existsSync)
  .flatMap((path) =>
    path.endsWith('.md') ? [path] : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => join(path, file)),
  )
  .filter((path) => /\.(ts|md)$/.test(path))
  .map((path) => relative(ROOT, path).replaceAll(sep, '/'))
  .sort();

const examples = documents.flatMap((file) => examplesIn(file, readFileSync(join(ROOT, file), 'utf8')));

const errors = typeErrors(examples, ROOT);

let backend: string;
beforeAll(() => {
  backend = tf.getBackend();
});
beforeEach(() => {
  jest.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(async () => {
  jest.restoreAllMocks();
  await tf.setBackend(backend);
});

it.each(examples.map((example) => [`${example.file}:${example.line}`, example] as const))('%s', async (_, example) => {
  expect(errors.get(example)).toEqual([]);
  const { assertions, run } = compile(example, ROOT);
  if (!example.run) return;
  const checked = new Set<number>();
  const check = (index: number, actual: unknown, expected: unknown) => {
    checked.add(index);
    expect(actual).toEqual(expected);
  };
  await run(require, check, near);
  expect(checked.size).toBe(assertions);
});

/** Numbers whose decimals begin with those shown: −0.60 stands for (−0.61, −0.60]. */
function near(shown: string): unknown {
  const digits = shown.split('.')[1]?.length ?? 0;
  const middle = Number(shown) + (shown.startsWith('-') ? -0.5 : 0.5) * 10 ** -digits;
  return expect.closeTo(middle, digits);
}
