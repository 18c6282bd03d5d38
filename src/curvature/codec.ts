/** Curvature estimators as data: how the gradient factor G = E[g gᵀ] of every layer is taken, and of which layers. */
import type * as t from 'io-ts';
import {
  type Codec,
  defaulted,
  type Flat,
  type InputOf,
  LayerSelectionCodec,
  make,
  type Options,
  positiveInteger,
  seed,
  taggedUnion,
  variant,
} from '../codec/index.js';

const layers = defaulted(LayerSelectionCodec, 'all');

const Exact = variant('exact', { layers });
const MonteCarlo = variant('monteCarlo', {
  /** Labels drawn per example. */
  draws: defaulted(positiveInteger, 1),
  seed: defaulted(seed, 0),
  layers,
});
const Empirical = variant('empirical', { layers });
const Kfra = variant('kfra', { layers });

const Curvatures = taggedUnion('a curvature', Exact, MonteCarlo, Empirical, Kfra);

/** How curvature is estimated. */
export type Curvature = Flat<t.TypeOf<typeof Curvatures>>;

/** What may be written for a curvature. */
export type CurvatureInput = Flat<InputOf<typeof Curvatures>>;

/** Decodes a curvature. */
export const CurvatureCodec: Codec<Curvature, CurvatureInput> = Curvatures;

const Kfac = taggedUnion('a Fisher matrix', Exact, MonteCarlo, Empirical);

/** Options of `kfac`. Draws and a seed belong to the Monte Carlo Fisher alone. */
export type KfacOptions =
  | Flat<{ readonly fisher?: 'exact' | 'empirical' } & Options<typeof Exact>>
  | Flat<{ readonly fisher: 'monteCarlo' } & Options<typeof MonteCarlo>>;

/** Options of `kfra`. */
export type KfraOptions = Options<typeof Kfra>;

/**
 * Kronecker-factored approximate curvature (Martens & Grosse 2015). The Fisher matrix is `exact` (one backward row per output),
 * `monteCarlo` (labels drawn from the model's own predictive, `draws` rows), or `empirical` (the training labels' own gradients).
 *
 * @example
 * ```ts
 * import { kfac } from 'tfjs-laplace';
 *
 * kfac(); // => { _tag: 'exact', layers: 'all' }
 * kfac({ fisher: 'monteCarlo', draws: 4, seed: 7 }); // => { _tag: 'monteCarlo', draws: 4, seed: 7, layers: 'all' }
 * kfac({ fisher: 'empirical', layers: 'last' }); // => { _tag: 'empirical', layers: 'last' }
 * ```
 */
export const kfac = (options: KfacOptions = {}): Curvature => make('kfac', Kfac, options, { key: 'fisher', fallback: 'exact' });

/**
 * Kronecker-factored recursive approximation (Botev et al. 2017, Ritter et al. 2018): no backward pass; chains of dense layers only.
 *
 * @example
 * ```ts
 * import { kfra } from 'tfjs-laplace';
 *
 * kfra(); // => { _tag: 'kfra', layers: 'all' }
 * ```
 */
export const kfra = (options: KfraOptions = {}): Curvature => make('kfra', Kfra, options);
