/** The library against the float64 documents beside this file: the comparison that `npm run reference` makes, and that it can fail. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type CaseResult, compareDocument, type Quantity, TOLERANCES } from '../../scripts/reference/compare.js';
import type { ReferenceDocument } from '../../scripts/reference/document.js';
import { buildModel, inputsOf } from '../../scripts/reference/model.js';
import { withWasmKernels } from '../support/wasmKernels.js';

withWasmKernels();

const read = (name: string): ReferenceDocument => JSON.parse(readFileSync(join(__dirname, `${name}.json`), 'utf8'));

const DOCUMENTS = readdirSync(__dirname)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

const labelsOf = (doc: ReferenceDocument): ReadonlyArray<string> =>
  doc.curvatures.map(({ kind, weightSharing }) => `${doc.name} ${kind}${weightSharing === 'reduce' ? ' reduce' : ''}`);

it.each(DOCUMENTS)('%s: the network that is built for it has its outputs', (name) => {
  const doc = read(name);
  const model = buildModel(doc);
  const worst = tf.tidy(() => {
    const found = [model.predict(inputsOf(doc, doc.xTest))].flat() as tf.Tensor[];
    const sizes = found.map((t) => t.shape[1] as number);
    const expected = tf.split(tf.tensor2d(doc.outputsTest), sizes, 1).map((f, i) => linked(f, lastActivation(doc, i)));
    return Math.max(...found.map((t, i) => tf.max(tf.abs(tf.sub(t, expected[i] as tf.Tensor))).dataSync()[0] as number));
  });
  model.dispose();
  // float32 sums of at most some forty terms of order one.
  expect(worst).toBeLessThan(1e-5);
});

/** Of the output number i. */
const lastActivation = ({ layers, outputs }: ReferenceDocument, i: number): string | undefined =>
  (outputs ? layers.find((l) => l.name === outputs[i]) : layers[layers.length - 1])?.activation;

function linked(f: tf.Tensor, activation: string | undefined): tf.Tensor {
  if (activation === 'softmax') return tf.softmax(f);
  return activation === 'sigmoid' ? tf.sigmoid(f) : f;
}

it.each(DOCUMENTS)('%s: outputs, factors, evidence, covariances and probit', async (name) => {
  const doc = read(name);
  const results = await compareDocument(doc);
  expect(results.map((r) => r.label)).toEqual(labelsOf(doc));
  for (const { label, failed, notCovered } of results) expect([label, failed, notCovered]).toEqual([label, [], undefined]);
});

it('takes outputs of a last sigmoid for f where a document has them: then the link comes on top, and its kfra says nothing', async () => {
  const doc = read('dense_bernoulli');
  const outputsTest = doc.outputsTest.map((row) => row.map((f) => 1 / (1 + Math.exp(-f))));
  const results = await compareDocument({ ...doc, outputsTest });
  expect(results.map((r) => r.notCovered !== undefined)).toEqual([false, false, true]);
  for (const { errors } of results.slice(0, 2)) expect(errors.outputs).toBeLessThan(TOLERANCES.outputs);
});

describe('a document that is wrong by a part in a thousand fails, in that quantity', () => {
  /** A document with every number of one part of its first case times 1.001. */
  const corrupted = (part: (first: ReferenceDocument['curvatures'][number]) => object): ReferenceDocument => {
    const doc = structuredClone(read('dense_categorical'));
    const first = doc.curvatures[0] as ReferenceDocument['curvatures'][number];
    Object.assign(first, scaled(part(first)));
    return { ...doc, curvatures: [first] };
  };
  const scaled = (value: unknown): object => JSON.parse(JSON.stringify(value), (_, v) => (typeof v === 'number' ? 1.001 * v : v));

  it.each<[Quantity, (first: ReferenceDocument['curvatures'][number]) => object]>([
    ['factors', ({ factors }) => ({ factors })],
    ['evidence', ({ evidence }) => ({ evidence })],
    ['covariance', ({ outputCovariance }) => ({ outputCovariance })],
    ['probit', ({ probit }) => ({ probit })],
  ])('%s', async (quantity, part) => {
    const [result] = (await compareDocument(corrupted(part))) as [CaseResult];
    expect(result.failed).toEqual([quantity]);
    expect(result.errors[quantity]).toBeGreaterThan(10 * TOLERANCES[quantity]);
  });

  it('outputs', async () => {
    const doc = read('dense_gaussian');
    const results = await compareDocument({ ...doc, outputsTest: doc.outputsTest.map((row) => row.map((v) => 1.001 * v)) });
    expect(results.map((r) => r.failed)).toEqual([['outputs'], ['outputs'], ['outputs']]);
  });

  it('a number that is missing or NaN', async () => {
    const doc = read('linear_gaussian');
    const [result] = (await compareDocument({ ...doc, outputsTest: doc.outputsTest.slice(1) })) as [CaseResult];
    expect(result.failed).toEqual(['outputs']);
    const nan = await compareDocument({ ...doc, outputsTest: doc.outputsTest.map((row) => row.map(() => Number.NaN)) });
    expect(nan[0]?.failed).toEqual(['outputs']);
  });
});
