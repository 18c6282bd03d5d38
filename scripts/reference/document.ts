/** A reference document: float64 values of a small network, see `__tests__/reference/README.md`. */
import {
  bernoulli,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  full,
  gaussian,
  heteroscedastic,
  kfac,
  kfra,
  type Likelihood,
  type OutputLikelihood,
  perOutput,
  poisson,
} from 'tfjs-laplace';

export type Rows = number[][];

/** Numbers, nested as deep as the shape says. */
export type Nested = ReadonlyArray<number> | ReadonlyArray<Nested>;

/** A layer with the arguments that TensorFlow.js has for it, and what it reads; or a layer used once more. */
export interface LayerSpec {
  /** Absent in a layer that `shares` the weights of another. */
  readonly className?: string;
  readonly name?: string;
  /** Names of the layers that it reads; the one before it, if left out. */
  readonly from?: ReadonlyArray<string>;
  readonly shares?: string;
  /** Of an input. */
  readonly shape?: ReadonlyArray<number>;
  readonly activation?: string;
  readonly useBias?: boolean;
  readonly kernelSize?: ReadonlyArray<number>;
  /** Input channels of a convolution. */
  readonly channels?: number;
  readonly movingMean?: ReadonlyArray<number>;
  readonly movingVariance?: ReadonlyArray<number>;
}

/** A block's factors: of a Kronecker block (A a vector for an embedding, a list for channels), of a diagonal one, or of all weights. */
export interface BlockFactors {
  readonly A?: Nested;
  readonly G?: Nested;
  readonly D?: Rows;
  readonly F?: Rows;
}

export type Damping = 'exact' | 'factored';

export interface CurvatureCase {
  readonly kind: string;
  readonly weightSharing: 'expand' | 'reduce';
  readonly factors: ReadonlyArray<BlockFactors>;
  readonly evidence: Readonly<Record<'logLikelihood' | 'logDetRatio' | 'scatter' | 'logMarginalLikelihood', number>>;
  readonly outputCovariance: Readonly<Partial<Record<Damping, number[][][]>>>;
  readonly probit: Readonly<Partial<Record<Damping, Rows>>>;
}

export interface ReferenceDocument {
  readonly name: string;
  /** One for each output, where the network has several. */
  readonly likelihood: string | ReadonlyArray<string>;
  readonly noiseVariance: number | number[] | null | ReadonlyArray<number | null>;
  readonly priorPrecision: number;
  readonly datasetSize: number;
  readonly layers: ReadonlyArray<LayerSpec>;
  readonly outputs?: ReadonlyArray<string>;
  readonly weights: ReadonlyArray<Rows>;
  /** One array, or one for each input of a network with several. */
  readonly x: Nested;
  readonly y: Nested;
  readonly exampleWeights?: ReadonlyArray<number>;
  readonly xTest: Nested;
  readonly outputsTest: Rows;
  readonly curvatures: ReadonlyArray<CurvatureCase>;
}

/** Names of the network's inputs; none for a chain, which has one. */
export const inputNames = ({ layers }: ReferenceDocument): ReadonlyArray<string> =>
  layers.filter((l) => l.className === 'InputLayer').map((l) => l.name as string);

/** Why the library does not have what a document is about, or undefined when it does. Layers it judges itself. */
export function notCovered(doc: ReferenceDocument): string | undefined {
  return likelihoodOf(doc) === undefined ? `likelihood ${[doc.likelihood].flat().join(', ')}` : undefined;
}

/** The document's likelihood, if the library has it: of several outputs one for each, by its name. */
export function likelihoodOf({ likelihood, noiseVariance, outputs = [] }: ReferenceDocument): Likelihood | undefined {
  if (typeof likelihood === 'string') return ofOutput(likelihood, noiseVariance as number | number[] | null);
  const variances = noiseVariance as ReadonlyArray<number | null>;
  const parts = likelihood.map((one, i) => [outputs[i] as string, ofOutput(one, variances[i] ?? null)] as const);
  const known = parts.flatMap(([name, one]) => (one === undefined ? [] : [[name, one] as const]));
  return known.length === parts.length ? perOutput(Object.fromEntries(known)) : undefined;
}

function ofOutput(likelihood: string, noiseVariance: number | number[] | null): OutputLikelihood | undefined {
  switch (likelihood) {
    case 'categorical':
      return categorical();
    case 'bernoulli':
      return bernoulli();
    case 'gaussian':
      return gaussian({ noiseVariance: noiseVariance as number | number[] });
    case 'heteroscedastic':
      return heteroscedastic();
    case 'poisson':
      return poisson();
    default:
      return undefined;
  }
}

/** The estimator of a curvature case, if the library has it. */
export function curvatureOf({ kind, weightSharing }: CurvatureCase): Curvature | undefined {
  switch (kind) {
    case 'exact':
    case 'empirical':
      return kfac({ fisher: kind, weightSharing });
    case 'kfra':
      return kfra();
    case 'ekfac':
      return ekfac({ weightSharing });
    case 'diagonal':
      return diagonal();
    case 'full':
      return full();
    default:
      return undefined;
  }
}
