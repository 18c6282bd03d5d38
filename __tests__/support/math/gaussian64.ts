/** Posteriors of regressions from chosen matrices, in float64. */
import fc from 'fast-check';
import {
  type Damping,
  exactDamping,
  type Factors,
  factoredDamping,
  gaussian,
  type Posterior,
  type PosteriorLayer,
  perLayer,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../../src/linalg/javascript.js';
import { posteriorOf } from '../../../src/posterior/posteriorOf.js';
import { right } from './laplace.js';
import { factorsWith, type LayerSpec, TWO_LAYERS, twoLayers } from './posteriors64.js';

/** −½ (Σ (f − y)² / σ² + labels · log(2πσ²)). */
export const logLikelihoodOf = (squares: number, labels: number, noiseVariance: number): number =>
  -0.5 * (squares / noiseVariance + labels * Math.log(2 * Math.PI * noiseVariance));

/** Factors of a regression of N examples: the matrices G of `layers` are those at the given noise variance. */
export function gaussianFactors(layers: ReadonlyArray<LayerSpec>, N: number, squares: number, noiseVariance: number): Factors {
  const factors = factorsWith(layers, N);
  return {
    ...factors,
    layout: { ...factors.layout, likelihood: gaussian({ noiseVariance }) },
    logLikelihood: logLikelihoodOf(squares, N * factors.layout.outputs, noiseVariance),
  };
}

export const withMeans = (posterior: Posterior, data: (layer: PosteriorLayer) => Float64Array): Posterior => ({
  ...posterior,
  layers: posterior.layers.map((layer) => ({ ...layer, mean: { ...layer.mean, data: data(layer) } })),
});

/** Regressions of two layers, of full rank or not, under any prior and noise, whose curvature may be squares of gradients. */
export const regressions = fc
  .record({
    ...TWO_LAYERS,
    N: fc.integer({ min: 1, max: 1000 }),
    logTaus: fc.tuple(fc.double({ min: -12, max: 12, noNaN: true }), fc.double({ min: -12, max: 12, noNaN: true })),
    damping: fc.constantFrom<Damping>(exactDamping(), factoredDamping()),
    fisher: fc.constantFrom<'exact' | 'empirical'>('exact', 'empirical'),
    weights: fc.double({ min: -4, max: 4, noNaN: true }).map(Math.exp),
    /** The mean squared error, and how many times that the noise variance is. */
    error: fc.double({ min: -6, max: 6, noNaN: true }).map(Math.exp),
    noise: fc.double({ min: -3, max: 3, noNaN: true }).map(Math.exp),
  })
  .map(({ sizes, ranks, seed, N, logTaus, damping, fisher, weights, error, noise }) => {
    const prior = perLayer({ low: Math.exp(logTaus[0]), top: Math.exp(logTaus[1]) });
    const factors = gaussianFactors(twoLayers(sizes, ranks, seed), N, N * sizes[2] * error, error * noise);
    const estimator = { _tag: 'kfac', fisher: { _tag: fisher }, weightSharing: 'expand' } as const;
    const own = { ...factors, layout: { ...factors.layout, estimator } };
    const posterior = right(posteriorOf(own, { prior, damping, layers: 'all' }, javascriptEngine));
    return withMeans(posterior, ({ mean }) => mean.data.map((v) => weights * (v + 0.01)));
  });

/** The same problems in every run. */
export const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 3 });
