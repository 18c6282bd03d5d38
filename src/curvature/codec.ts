/** Curvature estimators as data: how the gradient factor G = E[g gᵀ] of every layer is taken, and of which layers. */
import type * as t from 'io-ts';
import {
  type Codec,
  defaulted,
  type Flat,
  type InputOf,
  LayerSelectionCodec,
  literals,
  make,
  type Options,
  positiveInteger,
  seed,
  taggedUnion,
  variant,
} from '../codec/index.js';
import { type Fisher, Fishers, fisherRule } from './fisher/index.js';

const coverage = {
  /** Layers that are covered; the others stay at their MAP. */
  layers: defaulted(LayerSelectionCodec, 'all'),
  /** Layers that cannot have a Kronecker block, or only one that is too large: an error, left at their MAP, or a diagonal block. */
  unsupported: defaulted(literals('error', 'map', 'diagonal'), 'error'),
};
const sharing = {
  /** How the positions of a shared weight (a convolution's pixels, a sequence's steps) enter the factors. */
  weightSharing: defaulted(literals('expand', 'reduce'), 'expand'),
};
const fisher = { fisher: defaulted(Fishers, { _tag: 'exact' } as const) };

const Kfac = variant('kfac', { ...fisher, ...sharing, ...coverage });
const Kfra = variant('kfra', coverage);
const Ekfac = variant('ekfac', { ...fisher, ...sharing, ...coverage });
const Diagonal = variant('diagonal', { ...fisher, ...coverage });
const Full = variant('full', { ...fisher, ...coverage });

const LowRank = variant('lowRank', {
  /** The most eigenvectors of the output factor that are kept; of the rest its diagonal is. */
  rank: defaulted(positiveInteger, 64),
  /** Of the vectors that the output factor is multiplied with; factors of one seed can be merged. */
  seed: defaulted(seed, 0),
  /** The last layer, alone. */
  layers: defaulted(LayerSelectionCodec, 'last'),
});

const Curvatures = taggedUnion('a curvature', Kfac, Kfra, Ekfac, Diagonal, Full, LowRank);

/** How curvature is estimated. */
export type Curvature = Flat<t.TypeOf<typeof Curvatures>>;

/** What may be written for a curvature. */
export type CurvatureInput = Flat<InputOf<typeof Curvatures>>;

/** Decodes a curvature. */
export const CurvatureCodec: Codec<Curvature, CurvatureInput> = Curvatures;

/** Options of `kfac`. */
export type KfacOptions = Options<typeof Kfac>;

/** Options of `kfra`. */
export type KfraOptions = Options<typeof Kfra>;

/** Options of `ekfac`. */
export type EkfacOptions = Options<typeof Ekfac>;

/** Options of `diagonal`. */
export type DiagonalOptions = Options<typeof Diagonal>;

/** Options of `full`. */
export type FullOptions = Options<typeof Full>;

/** Options of `lowRank`. */
export type LowRankOptions = Options<typeof LowRank>;

/**
 * Kronecker-factored approximate curvature (Martens & Grosse 2015; Grosse & Martens 2016 for convolutions; Eschenhagen et al. 2023
 * for `weightSharing`). The Fisher matrix is one of
 *
 * - `'exact'`: one row for each output is sent back;
 * - `truncated({ tolerance })`: the largest of those rows, until less than `tolerance` of the trace of the batch's output Hessian is missing;
 * - `monteCarlo({ samples, seed })`: `samples` rows at labels that are drawn from the model's own predictive;
 * - `'empirical'`: one row at the training label, which is a by-product of training.
 *
 * @example
 * ```ts
 * import { kfac, monteCarlo, truncated } from 'tfjs-laplace';
 *
 * kfac(); // => { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand', layers: 'all', unsupported: 'error' }
 * kfac({ fisher: truncated({ tolerance: 1e-4 }) })._tag; // => 'kfac'
 * kfac({ fisher: monteCarlo({ samples: 4, seed: 7 }), weightSharing: 'reduce' })._tag; // => 'kfac'
 * kfac({ fisher: 'empirical', layers: 'last' }).layers; // => 'last'
 * ```
 */
export const kfac = (options: KfacOptions = {}): Curvature => make('kfac', Kfac, options);

/**
 * Kronecker-factored recursive approximation (Botev et al. 2017, Ritter et al. 2018): no backward pass; chains of dense layers only.
 *
 * @example
 * ```ts
 * import { kfra } from 'tfjs-laplace';
 *
 * kfra(); // => { _tag: 'kfra', layers: 'all', unsupported: 'error' }
 * ```
 */
export const kfra = (options: KfraOptions = {}): Curvature => make('kfra', Kfra, options);

/**
 * Eigenvalue-corrected KFAC (George et al. 2018): the eigenvectors of the Kronecker factors with, along them, the exact second
 * moments of each example's gradient. Never further from the layer's Gauss-Newton matrix than `kfac` in Frobenius norm. Two passes
 * over the data: one for the eigenvectors, one for the moments. Where A or G has equal eigenvalues their eigenvectors are free to
 * turn, and the moments with them: under `weightSharing: 'reduce'`, whose A often has many eigenvalues of 0, engines may differ there.
 *
 * @example
 * ```ts
 * import { ekfac } from 'tfjs-laplace';
 *
 * ekfac({ fisher: 'empirical' })._tag; // => 'ekfac'
 * ```
 */
export const ekfac = (options: EkfacOptions = {}): Curvature => make('ekfac', Ekfac, options);

/**
 * The diagonal of the Fisher matrix: each weight on its own. Memory of one number a weight; a baseline.
 *
 * @example
 * ```ts
 * import { diagonal } from 'tfjs-laplace';
 *
 * diagonal(); // => { _tag: 'diagonal', fisher: { _tag: 'exact' }, layers: 'all', unsupported: 'error' }
 * ```
 */
export const diagonal = (options: DiagonalOptions = {}): Curvature => make('diagonal', Diagonal, options);

/**
 * The whole Fisher matrix over all covered weights together, for models that are small enough: [P, P] for P weights, O(P³) once.
 *
 * @example
 * ```ts
 * import { full } from 'tfjs-laplace';
 *
 * full({ layers: 'last' }).layers; // => 'last'
 * ```
 */
export const full = (options: FullOptions = {}): Curvature => make('full', Full, options);

/**
 * The last layer of a model with very many outputs (thousands of classes): the input factor, and an output factor of diagonal plus low
 * rank, G ≈ diag(δ) + B diag(λ) Bᵀ with `rank` eigenvectors at most. They come from products of G with `rank` + 10 random vectors
 * (Nyström; Halko, Martinsson & Tropp 2011), summed as G itself would be; nothing is of size C². The diagonal of G is exact, and with
 * it its trace; `keptTrace(posterior.layers[0])` is the share of the trace whose directions are kept. With as many as outputs it
 * is `kfac({ fisher: 'exact', layers: 'last' })`. For independent outputs (Bernoulli, Gaussian, Poisson) G is its diagonal, and exact.
 *
 * Another layer, several outputs of the model, or a likelihood of one's own are an `UnsupportedLayer`.
 *
 * @example
 * ```ts
 * import { lowRank } from 'tfjs-laplace';
 *
 * lowRank({ rank: 32 }); // => { _tag: 'lowRank', rank: 32, seed: 0, layers: 'last' }
 * ```
 */
export const lowRank = (options: LowRankOptions = {}): Curvature => make('lowRank', LowRank, options);

/** The Fisher matrix of a curvature; undefined for `kfra` and `lowRank`, which send nothing back. */
export function fisherOf(curvature: Curvature): Fisher | undefined {
  switch (curvature._tag) {
    case 'kfra':
    case 'lowRank':
      return undefined;
    case 'kfac':
    case 'ekfac':
    case 'diagonal':
    case 'full':
      return curvature.fisher;
  }
}

/**
 * What becomes of layers that have no block, or whose factors are too large: a diagonal has no factors that could be, and a low rank
 * looks at its one layer itself.
 */
export function policyOf(curvature: Curvature): 'error' | 'map' | 'diagonal' {
  if (curvature._tag === 'lowRank') return 'diagonal';
  const { _tag, unsupported } = curvature;
  return _tag === 'diagonal' && unsupported === 'error' ? 'diagonal' : unsupported;
}

/** Whether the gradients of a training step's own loss are the rows that an estimator sums: then it needs no pass of its own. */
export const takesTrainingRows = (curvature: Curvature): boolean =>
  curvature._tag === 'kfac' && fisherRule(curvature.fisher).isTrainingStep;

/** A curvature without what only says which layers it covers and which random numbers it draws: what two sets of factors must share. */
export type Estimator = Flat<
  DistributiveOmit<Exclude<Curvature, { readonly fisher: unknown }>, 'layers' | 'unsupported' | 'seed'> | WithFisher<Curvature>
>;

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

type WithFisher<C> = C extends { readonly fisher: Fisher }
  ? Omit<C, 'layers' | 'unsupported' | 'fisher'> & { readonly fisher: DistributiveOmit<Fisher, 'seed'> }
  : never;

/** The estimator of a curvature. */
export function estimatorOf(curvature: Curvature): Estimator {
  const { layers: _, ...own } = curvature;
  const { unsupported: __, seed: ___, ...rest } = own as typeof own & { readonly unsupported?: unknown; readonly seed?: unknown };
  if (!('fisher' in rest)) return rest as Estimator;
  const { seed: ____, ...fisher } = rest.fisher as Fisher & { readonly seed?: number };
  return { ...rest, fisher } as Estimator;
}
