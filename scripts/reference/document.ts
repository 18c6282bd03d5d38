/** A reference document: float64 values of a small network, see `__tests__/reference/README.md`. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, heteroscedastic, type Likelihood } from 'tfjs-laplace';

type Rows = number[][];

export interface LayerSpec {
  readonly className: string;
  readonly units?: number;
  readonly inputs?: number;
  readonly activation?: string;
  readonly useBias?: boolean;
}

export interface CurvatureCase {
  readonly kind: string;
  readonly weightSharing: 'expand' | 'reduce';
  readonly factors: ReadonlyArray<{ readonly A: Rows; readonly G: Rows }>;
  readonly evidence: Readonly<Record<'logLikelihood' | 'logDetRatio' | 'scatter' | 'logMarginalLikelihood', number>>;
  readonly outputCovariance: Readonly<Record<'exact' | 'factored', number[][][]>>;
  readonly probit: Readonly<Partial<Record<'exact' | 'factored', Rows>>>;
}

export interface ReferenceDocument {
  readonly name: string;
  readonly likelihood: string;
  readonly noiseVariance: number | number[] | null;
  readonly priorPrecision: number;
  readonly datasetSize: number;
  readonly layers: ReadonlyArray<LayerSpec>;
  readonly weights: ReadonlyArray<Rows>;
  readonly x: Rows;
  readonly y: number[] | Rows;
  readonly xTest: Rows;
  readonly outputsTest: Rows;
  readonly curvatures: ReadonlyArray<CurvatureCase>;
}

/** Why this library does not cover a document, or undefined when it does. */
export function notCovered(doc: ReferenceDocument): string | undefined {
  const foreign = doc.layers.find((l) => l.className !== 'Dense');
  if (foreign !== undefined) return `layer ${foreign.className}`;
  if (!Array.isArray(doc.x[0]) || Array.isArray(doc.x[0][0])) return 'inputs that are not vectors';
  return likelihoodOf(doc) === undefined ? `likelihood ${doc.likelihood}` : undefined;
}

/**
 * Why one curvature case is not covered. A kfra case takes the Hessian in the outputs for the one in the last layer's z, which is
 * wrong by the slope of an activation between them: such a case states nothing to compare with.
 */
export function caseNotCovered(doc: ReferenceDocument, { kind }: CurvatureCase, model: tf.Sequential): string | undefined {
  return kind === 'kfra' && model.layers.length > doc.layers.length
    ? 'its kfra leaves out the activation between the last z and f'
    : undefined;
}

/** The document's likelihood, if the library has it. */
export function likelihoodOf({ likelihood, noiseVariance }: ReferenceDocument): Likelihood | undefined {
  if (likelihood === 'categorical') return categorical();
  if (likelihood === 'bernoulli') return bernoulli();
  if (likelihood === 'gaussian' && noiseVariance !== null) return gaussian({ noiseVariance });
  if (likelihood === 'heteroscedastic') return heteroscedastic();
  return undefined;
}

/**
 * The document's network as a tf.LayersModel with its weights; the caller disposes it.
 *
 * A document of the form `outputsTest = sigmoid(z)` has a sigmoid INSIDE its outputs f, and the likelihood's link on top of it:
 * then the model gets that second sigmoid, so that f is what the document says it is.
 */
export function buildModel(doc: ReferenceDocument): tf.Sequential {
  const model = chain(doc);
  const outputs = tf.tidy(() => (model.predict(tf.tensor(doc.xTest)) as tf.Tensor).dataSync());
  const expected = doc.outputsTest.flat();
  const linkInside = doc.layers[doc.layers.length - 1]?.activation === 'sigmoid';
  if (linkInside && expected.every((f, i) => Math.abs(f - (outputs[i] as number)) < 1e-5)) {
    model.add(tf.layers.activation({ activation: 'sigmoid' }));
  }
  return model;
}

function chain(doc: ReferenceDocument): tf.Sequential {
  const model = tf.sequential({
    layers: doc.layers.map((l) =>
      tf.layers.dense({
        inputShape: [l.inputs as number],
        units: l.units as number,
        activation: (l.activation ?? 'linear') as 'linear',
        useBias: l.useBias ?? true,
        kernelInitializer: 'zeros',
      }),
    ),
  });
  tf.tidy(() => {
    const weights = doc.weights.flatMap((W, i) => {
      if (!doc.layers[i]?.useBias) return [tf.tensor2d(W)];
      return [tf.tensor2d(W.slice(0, -1)), tf.tensor1d(W[W.length - 1] as number[])];
    });
    model.setWeights(weights);
  });
  return model;
}
