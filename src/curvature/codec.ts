/**
 * Curvature estimators as data. An estimator says how the curvature of each layer is approximated, which Fisher matrix it takes (the
 * gradient factor is G = E[g gᵀ] over that Fisher's gradients g), and which layers it covers.
 */
import type * as t from 'io-ts';
import {
  type Codec,
  defaulted,
  type Flat,
  fraction,
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

const coverage = {
  /** The layers that are covered. All other layers stay at their MAP. */
  layers: defaulted(LayerSelectionCodec, 'all'),
  /** What becomes of a layer without a Kronecker block, or with too large a one: an error, its MAP, or a diagonal block. */
  unsupported: defaulted(literals('error', 'map', 'diagonal'), 'error'),
};
const sharing = {
  /** How the positions of a shared weight (a convolution's pixels, a sequence's steps) enter the factors. */
  weightSharing: defaulted(literals('expand', 'reduce'), 'expand'),
};

const Exact = variant('exact', {});
const Truncated = variant('truncated', {
  /** The share of the trace of each batch's output Hessian that may be left out. */
  tolerance: defaulted(fraction, 1e-3),
});
const MonteCarlo = variant('monteCarlo', {
  /** How many labels are drawn for each example. */
  samples: defaulted(positiveInteger, 1),
  /** The seed of these labels. */
  seed: defaulted(seed, 0),
});
const Empirical = variant('empirical', {});

const Fishers = taggedUnion('a Fisher matrix', Exact, Truncated, MonteCarlo, Empirical);

/** Which Fisher matrix is estimated: it decides which gradients are sent back through the network. */
export type Fisher = Flat<t.TypeOf<typeof Fishers>>;

/** Options of `truncated`. */
export type TruncatedOptions = Options<typeof Truncated>;

/** Options of `monteCarlo`. */
export type MonteCarloOptions = Options<typeof MonteCarlo>;

const fisher = { fisher: defaulted(Fishers, { _tag: 'exact' } as const) };

const Kfac = variant('kfac', { ...fisher, ...sharing, ...coverage });
const Kfra = variant('kfra', coverage);
const Ekfac = variant('ekfac', { ...fisher, ...sharing, ...coverage });
const Diagonal = variant('diagonal', { ...fisher, ...coverage });
const Full = variant('full', { ...fisher, ...coverage });

const LowRank = variant('lowRank', {
  /** The largest number of eigenvectors of the output factor that are kept. What they leave over is kept as a diagonal. */
  rank: defaulted(positiveInteger, 64),
  /** The seed of the vectors that multiply the output factor. Factors of one seed can be merged. */
  seed: defaulted(seed, 0),
  /** Must select the last layer alone. */
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
 * The exact Fisher matrix, which is the generalised Gauss-Newton matrix for the library's likelihoods. Each output of an example costs
 * one row that is sent back through the network.
 *
 * @example
 * ```ts
 * import { exact } from 'tfjs-laplace';
 *
 * exact(); // => { _tag: 'exact' }
 * ```
 */
export const exact = (): Fisher => make('exact', Exact, {});

/**
 * The exact Fisher matrix without its smallest rows: of all rows of a batch the largest are sent back, until less than `tolerance` of
 * the trace of the batch's output Hessian is missing.
 *
 * @param options `tolerance` in [0, 1), default 1e-3.
 *
 * @example
 * ```ts
 * import { truncated } from 'tfjs-laplace';
 *
 * truncated({ tolerance: 1e-4 }); // => { _tag: 'truncated', tolerance: 1e-4 }
 * ```
 */
export const truncated = (options: TruncatedOptions = {}): Fisher => make('truncated', Truncated, options);

/**
 * An unbiased estimate of the Fisher matrix from labels that are drawn from the model's own predictive: `samples` rows an example.
 * Parts of a data set whose factors are to be merged need different seeds.
 *
 * @param options `samples`, labels drawn for each example, default 1; `seed`, default 0.
 *
 * @example
 * ```ts
 * import { monteCarlo } from 'tfjs-laplace';
 *
 * monteCarlo({ samples: 4 }); // => { _tag: 'monteCarlo', samples: 4, seed: 0 }
 * ```
 */
export const monteCarlo = (options: MonteCarloOptions = {}): Fisher => make('monteCarlo', MonteCarlo, options);

/**
 * The empirical Fisher matrix: the gradients at the training labels themselves, one row an example. Training computes them anyway.
 *
 * @example
 * ```ts
 * import { empirical } from 'tfjs-laplace';
 *
 * empirical(); // => { _tag: 'empirical' }
 * ```
 */
export const empirical = (): Fisher => make('empirical', Empirical, {});

/**
 * Kronecker-factored approximate curvature (Martens & Grosse 2015; Grosse & Martens 2016 for convolutions; Eschenhagen et al. 2023
 * for `weightSharing`). The Fisher matrix `fisher` is a value of `exact`, `truncated`, `monteCarlo` or `empirical`, or the name of one
 * with its defaults.
 *
 * @example
 * ```ts
 * import { kfac, monteCarlo, truncated } from 'tfjs-laplace';
 *
 * kfac(); // => { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand', layers: 'all', unsupported: 'error' }
 * kfac({ fisher: 'empirical', layers: 'last' }).layers; // => 'last'
 * kfac({ fisher: truncated({ tolerance: 1e-4 }) })._tag; // => 'kfac'
 * kfac({ fisher: monteCarlo({ samples: 4, seed: 7 }) })._tag; // => 'kfac'
 * ```
 */
export const kfac = (options: KfacOptions = {}): Curvature => make('kfac', Kfac, options);

/**
 * Kronecker-factored recursive approximation (Botev et al. 2017, Ritter et al. 2018). It takes no backward pass, and knows only
 * chains of dense layers.
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
 * Eigenvalue-corrected KFAC (George et al. 2018): it keeps the eigenvectors of the Kronecker factors, and along them sums the exact
 * second moments of each example's gradient. In Frobenius norm it is never further from the layer's Gauss-Newton matrix than `kfac`.
 *
 * It takes two passes over the data: one for the eigenvectors, one for the moments. Where A or G has equal eigenvalues, their
 * eigenvectors are not unique, and the moments depend on which ones the engine finds. Under `weightSharing: 'reduce'` A often has many
 * eigenvalues of 0, so that engines may differ there.
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
 * The diagonal of the Fisher matrix, a baseline: it takes each weight on its own, and keeps one number for each.
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
 * The whole Fisher matrix over all covered weights together: [P, P] for P weights, decomposed once in O(P³). For small models.
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
 * The last layer of a model with very many outputs (thousands of classes). It keeps the input factor, and the output factor as a
 * diagonal plus low rank, G ≈ diag(δ) + B diag(λ) Bᵀ with at most `rank` eigenvectors. They come from products of G with `rank` + 10
 * random vectors (Nyström; Halko, Martinsson & Tropp 2011), which are summed as G itself would be: nothing is of size C².
 *
 * The diagonal of G is exact, and so is its trace. `posterior.layers[0].lowRank.kept` states the share of the trace whose directions
 * are kept. With a `rank` of C the result is that of `kfac({ fisher: 'exact', layers: 'last' })`. For independent outputs (Bernoulli,
 * Gaussian, Poisson) G is a diagonal, and exact.
 *
 * Another layer than the last, a model with several outputs and a likelihood of one's own are an `UnsupportedLayer`.
 *
 * @example
 * ```ts
 * import { lowRank } from 'tfjs-laplace';
 *
 * lowRank({ rank: 32 }); // => { _tag: 'lowRank', rank: 32, seed: 0, layers: 'last' }
 * ```
 */
export const lowRank = (options: LowRankOptions = {}): Curvature => make('lowRank', LowRank, options);

/** The Fisher matrix of a curvature. `kfra` and `lowRank` have none: they send nothing back through the network. */
export const fisherOf = (curvature: Curvature): Fisher | undefined => ('fisher' in curvature ? curvature.fisher : undefined);

/**
 * What becomes of layers without a Kronecker block, or with too large factors. `diagonal` has no factors, so that no layer of it has to
 * fail. `lowRank` checks its one layer itself.
 */
export function policyOf(curvature: Curvature): 'error' | 'map' | 'diagonal' {
  if (curvature._tag === 'lowRank') return 'diagonal';
  const { _tag, unsupported } = curvature;
  return _tag === 'diagonal' && unsupported === 'error' ? 'diagonal' : unsupported;
}
