/** Compares what the library computes for a reference document with the document's float64 values. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
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

/** Largest relative error of each quantity of one curvature case. */
export interface CaseResult {
  readonly label: string;
  readonly errors: Readonly<Record<Quantity, number>>;
  /** Quantities above their tolerance. */
  readonly failed: ReadonlyArray<Quantity>;
  /** Why the case was not compared; then nothing is known of its errors. */
  readonly notCovered?: string;
}

export type Quantity = 'outputs' | 'factors' | 'evidence' | 'covariance' | 'probit';

/**
 * Allowed relative errors, of the largest entry of each array. The networks have some forty examples and layers of a few units:
 * float32 products and sums of that length are off by a few 1e-7; covariances and the evidence go through quotients and
 * logarithms of such numbers. A wrong constant or a dropped term is off by 1e-2 and more.
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

/** Batches of 16: the data of a document are folded from several, the last of another size. */
const BATCH = 16;

const DAMPINGS = { exact: exactDamping, factored: factoredDamping };

/** A document's network and data on the device. */
interface Setting {
  readonly doc: ReferenceDocument;
  readonly model: tf.LayersModel;
  readonly x: tf.Tensor[];
  readonly y: tf.Tensor[];
  readonly weights: tf.Tensor | undefined;
  readonly xTest: tf.Tensor[];
}

/** Runs every curvature case of a document. */
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
  // A document with a sigmoid inside its outputs: its kfra takes the Hessian in f for the one in the last layer's z, which is wrong
  // by the slope of the activation between them. It states nothing to compare with.
  if (expected.kind === 'kfra' && model.layers.length > doc.layers.length) {
    return unknown(doc, expected, 'its kfra leaves out the activation between the last z and f');
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
    // The documents state the evidence of the exact posterior precision only.
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
 * Blocks are found by name: a graph may be walked in another order than a document lists it. The one block of a `full` curvature is
 * in an order of its own, and shows in the covariances.
 */
function factorError(doc: ReferenceDocument, factors: Factors, expected: CurvatureCase): number {
  const found = moments(factors);
  if (E.isLeft(found)) throw found.left;
  if (expected.kind === 'full') return 0;
  const blocks = new Map(found.right.map((block) => [block.layout.name, block]));
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
  // The order of eigenvectors is free, as the sign of every direction is.
  if (found.structure === 'eigen') return relative([...data].sort(ascending), D.flat().sort(ascending));
  // A document has the scales in a row and the shifts in another, the library a pair for each feature.
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

/** max |found − expected| / max |expected|, over nested or flat numbers; infinite when the shapes differ or a number is NaN. */
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
