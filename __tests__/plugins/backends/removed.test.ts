/** What newer versions of Node have removed is defined again, and only that. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodeUtil from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { restoreRemoved } from '../../../plugins/backends/removed.js';
import { probe } from '../../../scripts/setup/native/probe.mjs';

const ROOT = join(__dirname, '..', '..', '..');
const util = nodeUtil as unknown as Record<string, unknown>;
const NAMES = ['isNullOrUndefined', 'isArray'] as const;
const before = NAMES.map((name) => [name, util[name]] as const);
const native = tf.getBackend() === 'tensorflow';

afterEach(() => {
  for (const [name, original] of before) util[name] = original;
});

it('leaves a function that is there', () => {
  const own = () => true;
  for (const name of NAMES) util[name] = own;
  expect(restoreRemoved()).toEqual([]);
  for (const name of NAMES) expect(util[name]).toBe(own);
});

it.each(NAMES)('defines %s where it is missing, and says so at every call', (name) => {
  for (const other of NAMES) util[other] = () => true;
  delete util[name];
  for (const _ of [1, 2]) expect(restoreRemoved()).toEqual([`util.${name}`]);
});

it('defines what they said: of null and undefined, and of arrays', () => {
  for (const name of NAMES) delete util[name];
  restoreRemoved();
  const values = [null, undefined, 0, '', false, Number.NaN, [], [null], {}, { length: 0 }];
  const yes = (name: string) => values.map(util[name] as (value: unknown) => boolean).flatMap((is, i) => (is ? [i] : []));
  expect(yes('isNullOrUndefined')).toEqual([0, 1]);
  expect(yes('isArray')).toEqual([6, 7]);
});

/** Skipped without the native binding. */
const withBinding = native ? it : it.skip;

withBinding('lets the native backend compute without them, and tells it in the reason', async () => {
  for (const name of NAMES) delete util[name];
  const largest = () => tf.tidy(() => [...tf.topk(tf.tensor1d([1, 3, 2]), 1).values.dataSync()]);
  expect(largest).toThrow('isNullOrUndefined');
  const { reason } = await useBackend({ prefer: 'node' });
  expect(reason).toMatch(/asked for by name; util\.isNullOrUndefined, .* is defined again; util\.isArray, /);
  expect(largest()).toEqual([3]);
});

withBinding('the probe of the set-up finds the binding without them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'removed-'));
  const options = process.env.NODE_OPTIONS;
  try {
    const path = join(folder, 'remove.cjs');
    writeFileSync(path, "delete require('util').isNullOrUndefined;");
    process.env.NODE_OPTIONS = `--require ${JSON.stringify(path)}`;
    expect(await probe(ROOT)).toBeUndefined();
  } finally {
    if (options === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = options;
    rmSync(folder, { recursive: true });
  }
});
