/** The form of a reference document: float64 values of a small network. `__tests__/reference/README.md` describes the fields. */
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

/** An array of numbers with any number of dimensions, nested. */
export type Nested = ReadonlyArray<number> | ReadonlyArray<Nested>;

/**
 * A layer with its arguments as TensorFlow.js names them, and its sources. Or, with `shares`, another use of an earlier layer.
 */
export interface LayerSpec {
  /** Class of the layer in TensorFlow.js; absent if the layer `shares` the weights of another. */
  readonly className?: string;
  readonly name?: string;
  /** Names of the layers whose outputs it reads. Default: the layer before it. */
  readonly from?: ReadonlyArray<string>;
  /** Name of the layer that is applied once more, with the same weights. */
  readonly shares?: string;
  /** Shape of an example, for an input layer. */
  readonly shape?: ReadonlyArray<number>;
  readonly activation?: string;
  readonly useBias?: boolean;
  readonly kernelSize?: ReadonlyArray<number>;
  /** Input channels of a convolution. */
  readonly channels?: number;
  readonly movingMean?: ReadonlyArray<number>;
  readonly movingVariance?: ReadonlyArray<number>;
}

/**
 * The factors of a block: A and G of a Kronecker block, D of a diagonal one, or F of all weights. A is a vector for an embedding.
 * For a depthwise convolution, A and G are lists with a matrix for each channel.
 */
export interface BlockFactors {
  readonly A?: Nested;
  readonly G?: Nested;
  readonly D?: Rows;
  readonly F?: Rows;
}

export type Damping = 'exact' | 'factored';

/** One estimator of the curvature, and what the library must compute with it. */
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
  /** A list, one for each output, if the network has several outputs. */
  readonly likelihood: string | ReadonlyArray<string>;
  readonly noiseVariance: number | number[] | null | ReadonlyArray<number | null>;
  readonly priorPrecision: number;
  readonly datasetSize: number;
  readonly layers: ReadonlyArray<LayerSpec>;
  readonly outputs?: ReadonlyArray<string>;
  readonly weights: ReadonlyArray<Rows>;
  /** The training inputs: one array, or one for each input of a network with several. */
  readonly x: Nested;
  readonly y: Nested;
  readonly exampleWeights?: ReadonlyArray<number>;
  readonly xTest: Nested;
  readonly outputsTest: Rows;
  readonly curvatures: ReadonlyArray<CurvatureCase>;
}

/** Names of the input layers. A chain has one input but no input layer, so that its list is empty. */
export const inputNames = ({ layers }: ReferenceDocument): ReadonlyArray<string> =>
  layers.filter((l) => l.className === 'InputLayer').map((l) => l.name as string);

/**
 * Tells why the library does not cover the likelihood of a document; undefined if it does. Layers are not checked here, because
 * the library itself refuses the layers that it does not cover.
 */
export function notCovered(doc: ReferenceDocument): string | undefined {
  return likelihoodOf(doc) === undefined ? `likelihood ${[doc.likelihood].flat().join(', ')}` : undefined;
}

/**
 * The document's likelihood, or undefined if the library lacks it. For several outputs it has a likelihood for each, by its name.
 */
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

/** The estimator of a curvature case, or undefined if the library lacks it. */
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
