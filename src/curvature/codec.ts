/**
 * Curvature estimators as data: which layers are covered, in which structure, and from which gradients g the curvature E[g gᵀ] is
 * taken.
 */
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
  optional,
  positiveInteger,
  seed,
  taggedUnion,
  variant,
} from '../codec/index.js';
import { type Fisher, Fishers, fisherRule } from './fisher/index.js';

const coverage = {
  /** The layers to cover; the others stay at their MAP. */
  layers: defaulted(LayerSelectionCodec, 'all'),
  /**
   * What happens to a layer that is not linear in its weights, or whose factors would be too large. With `'error'` it is refused,
   * and with `'map'` it stays at its MAP. With `'diagonal'` a layer that is too large keeps diagonals; a layer that is not linear
   * is still refused.
   */
  unsupported: defaulted(literals('error', 'map', 'diagonal'), 'error'),
};
const sharing = {
  /** How the positions that share a weight (pixels of a convolution, steps of a sequence) enter the factors. */
  weightSharing: defaulted(literals('expand', 'reduce'), 'expand'),
};
const fisher = {
  fisher: defaulted(Fishers, { _tag: 'exact' } as const),
  /**
   * Which noise variances a Gaussian likelihood can have later, without the data. With `'shared'`, the default, they keep their ratios.
   * With `'perOutput'` each can change on its own: what each output adds to the curvature is then kept as well. This takes as many output
   * factors as there are outputs, and `fisher: 'exact'`.
   */
  noise: optional(literals('shared', 'perOutput')),
};

const Kfac = variant('kfac', { ...fisher, ...sharing, ...coverage });
const Kfra = variant('kfra', coverage);
const Ekfac = variant('ekfac', { ...fisher, ...sharing, ...coverage });
const Diagonal = variant('diagonal', { ...fisher, ...coverage });
const Full = variant('full', { ...fisher, ...coverage });

const LowRank = variant('lowRank', {
  /** The largest number of eigenvectors of the output factor that are kept. Only the diagonal of the remainder is kept. */
  rank: defaulted(positiveInteger, 64),
  /**
   * The seed of the random vectors that the output factor is multiplied with. Factors can be merged only if their seeds agree.
   */
  seed: defaulted(seed, 0),
  /** Must select only the last layer. */
  layers: defaulted(LayerSelectionCodec, 'last'),
});

const Curvatures = taggedUnion('a curvature', Kfac, Kfra, Ekfac, Diagonal, Full, LowRank);

/** How curvature is estimated. */
export type Curvature = Flat<t.TypeOf<typeof Curvatures>>;

/** The accepted input for a curvature: options with a default may be left out. */
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
 * for `weightSharing`). The option `fisher` chooses which gradients are sent back through the network for each example:
 *
 * - `'exact'`: one row for each output;
 * - `truncated({ tolerance })`: the largest rows of `'exact'`, until less than `tolerance` of the trace of the batch's output
 *   Hessian is missing;
 * - `monteCarlo({ samples, seed })`: `samples` rows, at labels that are drawn from the model's own predictive;
 * - `'empirical'`: one row, at the training label. This row is a by-product of training;
 * - `customFisher({ name, columns })`: rows of your own.
 *
 * With `noise: 'perOutput'` and the exact Fisher matrix, what each output of a Gaussian likelihood adds is kept as well. Then the noise
 * variance of every output can be chosen without the data (`withNoiseVariance`, `maximiseEvidence`, `tune`).
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
 * Kronecker-factored recursive approximation (Botev et al. 2017, Ritter et al. 2018). It needs no backward pass, and works for
 * chains of dense layers only.
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
 * Eigenvalue-corrected KFAC (George et al. 2018). It keeps the eigenvectors of the Kronecker factors, and along them the exact
 * second moments of each example's gradient. In Frobenius norm it is never further from the layer's Gauss-Newton matrix than
 * `kfac`. It takes two passes over the data: one for the eigenvectors, one for the moments. Equal eigenvalues of A or G leave
 * their eigenvectors free to turn, and then the moments turn with them. Under `weightSharing: 'reduce'` A often has many
 * eigenvalues of 0, so linear algebra engines may differ there.
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
 * The diagonal of the Fisher matrix: each weight on its own. It is a baseline that keeps one number for each weight.
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
 * The whole Fisher matrix over all covered weights together, for small models. With W weights it is a matrix [W, W], and its
 * decomposition costs O(W³), once.
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
 * For the last layer of a model with very many outputs (thousands of classes). It keeps the input factor, and an output factor of
 * diagonal plus low rank, G ≈ diag(δ) + B diag(λ) Bᵀ, with at most `rank` eigenvectors.
 *
 * The eigenvectors come from products of G with `rank` + 10 random vectors (Nyström; Halko, Martinsson & Tropp 2011). These
 * products are summed over examples as G itself would be, so no array has C² numbers for C outputs. The diagonal of G is exact,
 * and so is its trace; `keptTrace(posterior.layers[0])` is the share of the trace that the kept directions hold. If `rank` is the
 * number of outputs, the result is `kfac({ fisher: 'exact', layers: 'last' })`. For independent outputs (Bernoulli, Gaussian,
 * Poisson) G is diagonal, and exact.
 *
 * A layer other than the last, a model of several outputs, and a likelihood of your own give an `UnsupportedLayer` error.
 *
 * @example
 * ```ts
 * import { lowRank } from 'tfjs-laplace';
 *
 * lowRank({ rank: 32 }); // => { _tag: 'lowRank', rank: 32, seed: 0, layers: 'last' }
 * ```
 */
export const lowRank = (options: LowRankOptions = {}): Curvature => make('lowRank', LowRank, options);

/** The Fisher matrix of a curvature; undefined for `kfra` and `lowRank`, which send nothing back through the network. */
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
 * What happens to a layer that has no block, or whose factors are too large. `diagonal` has no factors that could be too large,
 * so its `'error'` becomes `'diagonal'`. `lowRank` checks its one layer itself (`suitsLowRank.ts`).
 */
export function policyOf(curvature: Curvature): 'error' | 'map' | 'diagonal' {
  if (curvature._tag === 'lowRank') return 'diagonal';
  const { _tag, unsupported } = curvature;
  return _tag === 'diagonal' && unsupported === 'error' ? 'diagonal' : unsupported;
}

/** Whether the estimator sums the gradients that a training step computes anyway. Then it needs no pass of its own. */
export const takesTrainingRows = (curvature: Curvature): boolean =>
  curvature._tag === 'kfac' && fisherRule(curvature.fisher).isTrainingStep;

/**
 * The part of a curvature that two sets of factors must share to be merged. It leaves out which layers are covered, which random
 * numbers are drawn, and the function of a `customFisher`, which its name stands for. So it is data.
 */
export type Estimator = Flat<
  DistributiveOmit<Exclude<Curvature, { readonly fisher: unknown }>, 'layers' | 'unsupported' | 'seed'> | WithFisher<Curvature>
>;

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

type WithFisher<C> = C extends { readonly fisher: Fisher }
  ? Omit<C, 'layers' | 'unsupported' | 'fisher'> & { readonly fisher: DistributiveOmit<Fisher, 'seed' | 'columns'> }
  : never;

/** The estimator of a curvature. */
export function estimatorOf(curvature: Curvature): Estimator {
  const { layers: _, ...own } = curvature;
  const { unsupported: __, seed: ___, ...all } = own as typeof own & { readonly unsupported?: unknown; readonly seed?: unknown };
  if (!('fisher' in all)) return all as Estimator;
  // The default is left out, whether it was written or not.
  const { noise, ...without } = all;
  const rest = noise === 'perOutput' ? all : without;
  const {
    seed: ____,
    columns: _____,
    ...fisher
  } = rest.fisher as Fisher & { readonly seed?: unknown; readonly columns?: unknown };
  return { ...rest, fisher } as Estimator;
}

/**
 * p, if the curvature of a Gaussian likelihood is proportional to σ^(−2p). `kfra` and `lowRank` sum Λ itself, so theirs is 1.
 * Undefined if nobody knows.
 */
export const noisePowerOf = (estimator: Estimator): 1 | 2 | undefined =>
  'fisher' in estimator ? fisherRule(estimator.fisher).noisePower : 1;
