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
  isKronecker,
  kfac,
  kfra,
  moments,
  observe,
  outputDistribution,
  type Posterior,
  predict,
  toPosterior,
} from 'tfjs-laplace';
import { buildModel, type CurvatureCase, caseNotCovered, likelihoodOf, type ReferenceDocument } from './document.js';

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

/** Runs every curvature case of a document. */
export async function compareDocument(doc: ReferenceDocument): Promise<ReadonlyArray<CaseResult>> {
  const model = buildModel(doc);
  const [x, y, xTest] = [tf.tensor(doc.x), tf.tensor(doc.y), tf.tensor(doc.xTest)];
  try {
    const results: CaseResult[] = [];
    for (const expected of doc.curvatures) {
      const reason = caseNotCovered(doc, expected, model);
      results.push(
        reason === undefined
          ? await compareCase(doc, expected, model, { x, y, xTest })
          : { label: labelOf(doc, expected), errors: UNKNOWN, failed: [], notCovered: reason },
      );
    }
    return results;
  } finally {
    model.dispose();
    tf.dispose([x, y, xTest]);
  }
}

async function compareCase(
  doc: ReferenceDocument,
  expected: CurvatureCase,
  model: tf.LayersModel,
  { x, y, xTest }: Record<'x' | 'y' | 'xTest', tf.Tensor>,
): Promise<CaseResult> {
  const likelihood = likelihoodOf(doc) as NonNullable<ReturnType<typeof likelihoodOf>>;
  const observed = from(batches({ x, y }, BATCH)).pipe(observe(model, likelihood), accumulateFactors(curvatureOf(expected.kind)));
  const factors = await lastValueFrom(observed);
  const errors: Record<Quantity, number> = {
    outputs: 0,
    factors: factorError(factors, expected),
    evidence: 0,
    covariance: 0,
    probit: 0,
  };
  for (const damping of ['exact', 'factored'] as const) {
    const value = damping === 'exact' ? exactDamping() : factoredDamping();
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: doc.priorPrecision, damping: value })));
    // The documents state the evidence of the exact posterior precision only.
    if (damping === 'exact') errors.evidence = evidenceError(posterior, expected);
    const { mean, covariance } = await outputDistribution(model, posterior, xTest);
    errors.outputs = relative(mean, doc.outputsTest);
    errors.covariance = Math.max(errors.covariance, relative(covariance, expected.outputCovariance[damping]));
    const probabilities = expected.probit[damping];
    if (probabilities === undefined) continue;
    const prediction = await lastValueFrom(of(xTest).pipe(predict(model, posterior)));
    if (prediction._tag !== 'classification') throw new Error(`${doc.name}: expected a classification`);
    errors.probit = Math.max(errors.probit, relative(prediction.probabilities, probabilities));
  }
  const failed = (Object.keys(TOLERANCES) as Quantity[]).filter((q) => !(errors[q] <= TOLERANCES[q]));
  return { label: labelOf(doc, expected), errors, failed };
}

function curvatureOf(kind: string): Curvature {
  if (kind === 'kfra') return kfra();
  if (kind === 'exact' || kind === 'empirical') return kfac({ fisher: kind });
  throw new Error(`unknown curvature kind '${kind}' in a reference document`);
}

function factorError(factors: Factors, expected: CurvatureCase): number {
  const found = moments(factors);
  if (E.isLeft(found)) throw found.left;
  return Math.max(
    ...expected.factors.flatMap(({ A, G }, i) => {
      const own = found.right[i];
      if (own === undefined || !isKronecker(own)) return [Number.POSITIVE_INFINITY];
      return [relative(own.input.data, A), relative(own.gradient.data, G)];
    }),
  );
}

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
