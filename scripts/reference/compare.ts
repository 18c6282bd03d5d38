/** Compares the library's results for a reference document with the document's float64 values. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  evidence,
  exactDamping,
  type Factors,
  factoredDamping,
  isLaplaceError,
  type LayerMoments,
  type Likelihood,
  moments,
  observe,
  orThrow,
  outputDistribution,
  type Posterior,
  predict,
  toPosterior,
} from 'tfjs-laplace';
import {
  type BlockFactors,
  type CurvatureCase,
  curvatureOf,
  type Damping,
  likelihoodOf,
  notCovered,
  type ReferenceDocument,
  type Rows,
} from './document.js';
import { blockNames, buildModel, inputsOf, labelsOf, weightsOf } from './model.js';

/** The result of one curvature case: the largest relative error of each quantity. */
export interface CaseResult {
  readonly label: string;
  readonly errors: Readonly<Record<Quantity, number>>;
  /** Quantities above their tolerance. */
  readonly failed: ReadonlyArray<Quantity>;
  /** Why the case was not compared; undefined if it was. The errors of such a case are NaN. */
  readonly notCovered?: string;
}

export type Quantity = 'outputs' | 'factors' | 'evidence' | 'covariance' | 'probit';

/**
 * The allowed errors, relative to the largest entry of each array. The networks have some forty examples and layers of a few
 * units. Float32 products and sums of that length are off by a few 1e-7. Covariances and the evidence are computed from quotients
 * and logarithms of such numbers. A wrong constant or a missing term gives an error of 1e-2 or more.
 */
export const TOLERANCES: Readonly<Record<Quantity, number>> = {
  outputs: 1e-5,
  factors: 1e-5,
  evidence: 1e-5,
  covariance: 2e-5,
  probit: 1e-5,
};

const UNKNOWN: CaseResult['errors'] = { outputs: NaN, factors: NaN, evidence: NaN, covariance: NaN, probit: NaN };

const labelOf = (doc: ReferenceDocument, { kind, weightSharing }: CurvatureCase): string =>
  `${doc.name} ${kind}${weightSharing === 'expand' ? '' : ` ${weightSharing}`}`;

/** Examples in a batch. With 16 the data of a document make several batches, and the last batch has another size. */
const BATCH = 16;

const DAMPINGS = { exact: exactDamping, factored: factoredDamping };

/** The network and data of a document, as tensors. */
interface Setting {
  readonly doc: ReferenceDocument;
  readonly model: tf.LayersModel;
  readonly x: tf.Tensor[];
  readonly y: tf.Tensor[];
  readonly weights: tf.Tensor | undefined;
  readonly xTest: tf.Tensor[];
}

/** Compares every curvature case of a document. */
export async function compareDocument(doc: ReferenceDocument): Promise<ReadonlyArray<CaseResult>> {
  const missing = notCovered(doc);
  if (missing !== undefined) return doc.curvatures.map((expected) => unknown(doc, expected, missing));
  const setting: Setting = {
    doc,
    model: buildModel(doc),
    x: inputsOf(doc, doc.x),
    y: labelsOf(doc),
    weights: weightsOf(doc),
    xTest: inputsOf(doc, doc.xTest),
  };
  try {
    const results: CaseResult[] = [];
    for (const expected of doc.curvatures) results.push(await compareCase(setting, expected));
    return results;
  } finally {
    setting.model.dispose();
    tf.dispose([setting.x, setting.y, setting.xTest, setting.weights ?? []]);
  }
}

const unknown = (doc: ReferenceDocument, expected: CurvatureCase, reason: string): CaseResult => ({
  label: labelOf(doc, expected),
  errors: UNKNOWN,
  failed: [],
  notCovered: reason,
});

async function compareCase(setting: Setting, expected: CurvatureCase): Promise<CaseResult> {
  const { doc, model } = setting;
  const curvature = curvatureOf(expected);
  if (curvature === undefined) return unknown(doc, expected, `estimator ${expected.kind} ${expected.weightSharing}`);
  // The model has one layer more than the document when f contains a sigmoid (see buildModel). The kfra of such a document uses
  // the Hessian in f as if it were the Hessian in the last layer's z. It lacks the slope of the sigmoid, so there is nothing to
  // compare.
  if (expected.kind === 'kfra' && model.layers.length > doc.layers.length) {
    return unknown(doc, expected, 'the document leaves out the activation between the last z and f in its kfra');
  }
  try {
    const factors = await factorsOf(setting, curvature);
    const errors = await errorsOf(setting, expected, factors);
    const failed = (Object.keys(TOLERANCES) as Quantity[]).filter((q) => !(errors[q] <= TOLERANCES[q]));
    return { label: labelOf(doc, expected), errors, failed };
  } catch (error) {
    if (isLaplaceError(error) && error.kind === 'UnsupportedLayer')
      return unknown(doc, expected, `layer ${error.layer}: ${error.found}`);
    throw error;
  }
}

function factorsOf({ doc, model, x, y, weights }: Setting, curvature: Curvature): Promise<Factors> {
  const likelihood = likelihoodOf(doc) as Likelihood;
  const data = { x, y, ...(weights === undefined ? {} : { weights }) };
  return lastValueFrom(from(batches(data, BATCH)).pipe(observe(model, likelihood), accumulateFactors(curvature)));
}

async function errorsOf(
  { doc, model, xTest }: Setting,
  expected: CurvatureCase,
  factors: Factors,
): Promise<Record<Quantity, number>> {
  const errors = { outputs: 0, factors: factorError(doc, factors, expected), evidence: 0, covariance: 0, probit: 0 };
  for (const [name, expectedCovariance] of Object.entries(expected.outputCovariance) as [Damping, number[][][]][]) {
    const damping = DAMPINGS[name]();
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: doc.priorPrecision, damping })));
    // The documents state the evidence only for exact damping.
    if (name === 'exact') errors.evidence = evidenceError(posterior, expected);
    const { mean, covariance } = await outputDistribution(model, posterior, xTest);
    errors.outputs = relative(mean, doc.outputsTest);
    errors.covariance = Math.max(errors.covariance, relative(covariance, expectedCovariance));
    const probabilities = expected.probit[name];
    if (probabilities === undefined) continue;
    const prediction = await lastValueFrom(of(xTest).pipe(predict(model, posterior)));
    if (prediction._tag !== 'classification') throw new Error(`${doc.name}: expected a classification`);
    errors.probit = Math.max(errors.probit, relative(prediction.probabilities, probabilities));
  }
  return errors;
}

/**
 * The largest relative error of the factors. Blocks are matched by name, because the library may visit a graph in another order
 * than the document. The single block of a `full` curvature is not compared: the library orders its weights differently, and the
 * covariances show its errors.
 */
function factorError(doc: ReferenceDocument, factors: Factors, expected: CurvatureCase): number {
  const found = orThrow(moments(factors));
  if (expected.kind === 'full') return 0;
  const blocks = new Map(found.map((block) => [block.layout.name, block]));
  const names = blockNames(doc);
  if (blocks.size !== names.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...expected.factors.map((block, i) => blockError(blocks.get(names[i] as string), block)));
}

function blockError(found: LayerMoments | undefined, { A, G, D }: BlockFactors): number {
  if (found?.structure === 'kronecker' || found?.structure === 'embedding') {
    return Math.max(relative(found.parts.input.data, A), relative(found.parts.gradient.data, G));
  }
  if ((found?.structure !== 'diagonal' && found?.structure !== 'eigen') || D === undefined) return Number.POSITIVE_INFINITY;
  const { data } = found.parts.squares;
  // The order of the directions of an eigenbasis is arbitrary, so the values are compared in ascending order.
  if (found.structure === 'eigen') return relative([...data].sort(ascending), D.flat().sort(ascending));
  // For a scale and shift, a document has a row of scales and a row of shifts. The library has a pair for each feature.
  const { groups, n } = found.layout;
  const pairs = groups > 1 && n === D.length;
  return relative(data, pairs ? transposed(D) : D);
}

const ascending = (a: number, b: number): number => a - b;

const transposed = (rows: Rows): Rows => (rows[0] as number[]).map((_, j) => rows.map((row) => row[j] as number));

function evidenceError(posterior: Posterior, expected: CurvatureCase): number {
  const found = evidence(posterior);
  const keys = Object.keys(expected.evidence) as (keyof CurvatureCase['evidence'])[];
  return Math.max(...keys.map((k) => Math.abs(found[k] - expected.evidence[k]) / Math.abs(expected.evidence[k])));
}

/**
 * The relative error max |found − expected| / max |expected|, of nested or flat numbers. It is infinite when the lengths differ
 * or a number is NaN.
 */
function relative(found: unknown, expected: unknown): number {
  const [a, b] = [flatten(found), flatten(expected)];
  if (a.length !== b.length || a.length === 0) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...b.map(Math.abs));
  const error = Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / (scale || 1);
}

function flatten(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return Array.from(value as ArrayLike<unknown>).flatMap(flatten);
}
