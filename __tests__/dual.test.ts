/** Functions that take their data first or last: both forms give the same result, and their types say so. */
import { either as E, function as F } from 'fp-ts';
import {
  abstain,
  abstainForCoverage,
  type Coverage,
  type CredibleIntervals,
  calibrate,
  conformalIntervals,
  conformalSets,
  coverage,
  credibleIntervals,
  detectionScore,
  type EvidenceMaximum,
  evidenceCurve,
  exactDamping,
  type Factors,
  factoredDamping,
  fitCalibrator,
  gaussian,
  intervalCoverage,
  isotropic,
  kfac,
  type LaplaceError,
  type Matrix,
  maximiseEvidence,
  merge,
  mergeEpochs,
  type Posterior,
  type PosteriorLayer,
  posteriorOf,
  predictionIntervals,
  predictionSets,
  topK,
  variances,
  withDamping,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../src/linalg/javascript.js';
import { right } from './support/math/laplace.js';
import { chain } from './support/math/networks.js';
import { factorsWith, secondMoment } from './support/math/posteriors64.js';
import { CLASSIFICATION, REGRESSION } from './support/predictions.js';
import { holds, type Same } from './support/types.js';

const FACTORS = factorsWith([{ name: 'only', A: secondMoment(3, 1), G: secondMoment(2, 2) }], 10);
const LATER: Factors = { ...FACTORS, layers: FACTORS.layers.map((layer) => ({ ...layer })), datasetSize: 7, weights: [] };
const OPTIONS = { prior: isotropic(1), damping: exactDamping(), layers: 'all' } as const;
const POSTERIOR = withMeans(right(posteriorOf(FACTORS, OPTIONS, javascriptEngine)));
/** A regression whose labels miss by more than the noise. */
const NOISY: Posterior = { ...POSTERIOR, likelihood: gaussian(), logLikelihood: -100 };
const LAYER = POSTERIOR.layers[0] as PosteriorLayer;

function withMeans(posterior: Posterior): Posterior {
  const mean = ({ mean: own }: PosteriorLayer) => ({ ...own, data: own.data.map((_, i) => i + 1) });
  return { ...posterior, layers: posterior.layers.map((layer) => ({ ...layer, mean: mean(layer) })) };
}

const GAUSSIANS = { targets: [[1.9], [2.1]], mean: [[0], [0]], variance: [[1], [1]] };
const SETS = right(conformalSets([[0.5, 0.5]], [0], { level: 0.5 }));
const CALIBRATOR = right(fitCalibrator([[0.5, 0.5]], [0], 'vector'));
const ABSTENTION = right(abstainForCoverage([1, 2], 0.5));
const INTERVALS = right(conformalIntervals(GAUSSIANS, GAUSSIANS.targets, { level: 0.3 }));
const COVERAGE = { likelihood: gaussian(), curvature: kfac() };
const MODEL = chain([3, 2]);

/** The result with its data first, and with its data last. */
const FORMS: ReadonlyArray<readonly [string, () => unknown, () => unknown]> = [
  ['merge', () => merge(FACTORS, LATER), () => F.pipe(FACTORS, merge(LATER))],
  ['mergeEpochs', () => mergeEpochs(FACTORS, LATER), () => F.pipe(FACTORS, mergeEpochs(LATER))],
  [
    'posteriorOf',
    () => posteriorOf(FACTORS, OPTIONS, javascriptEngine),
    () => F.pipe(FACTORS, posteriorOf(OPTIONS, javascriptEngine)),
  ],
  ['withPrior', () => withPrior(POSTERIOR, isotropic(3)), () => F.pipe(POSTERIOR, withPrior(isotropic(3)))],
  ['withDamping', () => withDamping(POSTERIOR, factoredDamping()), () => F.pipe(POSTERIOR, withDamping(factoredDamping()))],
  ['variances', () => variances(POSTERIOR, LAYER), () => F.pipe(POSTERIOR, variances(LAYER))],
  ['maximiseEvidence', () => maximiseEvidence(POSTERIOR), () => F.pipe(POSTERIOR, maximiseEvidence())],
  [
    'maximiseEvidence with an option',
    () => maximiseEvidence(POSTERIOR, { per: 'layer' }),
    () => F.pipe(POSTERIOR, maximiseEvidence({ per: 'layer' })),
  ],
  ['maximiseEvidence as it is', () => maximiseEvidence(POSTERIOR), () => F.pipe(E.right(POSTERIOR), E.chain(maximiseEvidence))],
  [
    'maximiseEvidence with noise',
    () => maximiseEvidence(NOISY, { noise: 'estimated' }),
    () => F.pipe(NOISY, maximiseEvidence({ noise: 'estimated' })),
  ],
  ['withNoiseVariance', () => withNoiseVariance(NOISY, 2), () => F.pipe(NOISY, withNoiseVariance(2))],
  ['evidenceCurve', () => evidenceCurve(POSTERIOR), () => F.pipe(POSTERIOR, evidenceCurve())],
  [
    'evidenceCurve with an option',
    () => evidenceCurve(POSTERIOR, { precisions: [2] }),
    () => F.pipe(POSTERIOR, evidenceCurve({ precisions: [2] })),
  ],
  ['topK', () => topK(CLASSIFICATION, 1), () => F.pipe(CLASSIFICATION, topK(1))],
  ['credibleIntervals', () => credibleIntervals(REGRESSION), () => F.pipe(REGRESSION, credibleIntervals())],
  [
    'credibleIntervals with an option',
    () => credibleIntervals(REGRESSION, { level: 0.5 }),
    () => F.pipe(REGRESSION, credibleIntervals({ level: 0.5 })),
  ],
  ['intervalCoverage', () => intervalCoverage(GAUSSIANS), () => F.pipe(GAUSSIANS, intervalCoverage())],
  [
    'intervalCoverage with an option',
    () => intervalCoverage(GAUSSIANS, { level: 0.99 }),
    () => F.pipe(GAUSSIANS, intervalCoverage({ level: 0.99 })),
  ],
  ['abstain', () => abstain([1, 2], ABSTENTION), () => F.pipe([1, 2], abstain(ABSTENTION))],
  ['calibrate', () => calibrate([[0.5, 0.5]], CALIBRATOR), () => F.pipe([[0.5, 0.5]], calibrate(CALIBRATOR))],
  ['predictionSets', () => predictionSets([[0.5, 0.5]], SETS), () => F.pipe([[0.5, 0.5]], predictionSets(SETS))],
  [
    'predictionSets with an option',
    () => predictionSets([[0.5, 0.5]], SETS, { seed: 1 }),
    () => F.pipe([[0.5, 0.5]], predictionSets(SETS, { seed: 1 })),
  ],
  [
    'predictionIntervals',
    () => predictionIntervals(GAUSSIANS, INTERVALS),
    () => F.pipe(GAUSSIANS, predictionIntervals(INTERVALS)),
  ],
  [
    'detectionScore',
    () => detectionScore({ prediction: CLASSIFICATION }, 'entropy'),
    () => F.pipe({ prediction: CLASSIFICATION }, detectionScore('entropy')),
  ],
  ['coverage', () => coverage(MODEL, COVERAGE), () => F.pipe(MODEL, coverage(COVERAGE))],
];

it.each(FORMS)('%s gives the same with its data first and last', (_, first, last) => {
  expect(typeof first()).not.toBe('function');
  expect(last()).toEqual(first());
});

it('a sum of epochs carries the weights of the later one in both forms', () => {
  expect(right(mergeEpochs(FACTORS, LATER)).weights).toBe(LATER.weights);
  expect(right(F.pipe(LATER, mergeEpochs(FACTORS))).weights).toBe(FACTORS.weights);
});

it('functions keep their names', () => {
  const all = [coverage, credibleIntervals, intervalCoverage, maximiseEvidence, merge, mergeEpochs, posteriorOf, topK];
  expect(
    [
      ...all,
      abstain,
      calibrate,
      detectionScore,
      evidenceCurve,
      predictionIntervals,
      predictionSets,
      variances,
      withDamping,
      withNoiseVariance,
      withPrior,
    ].map(({ name }) => name),
  ).toEqual([
    'coverage',
    'credibleIntervals',
    'intervalCoverage',
    'maximiseEvidence',
    'merge',
    'mergeEpochs',
    'posteriorOf',
    'topK',
    'abstain',
    'calibrate',
    'detectionScore',
    'evidenceCurve',
    'predictionIntervals',
    'predictionSets',
    'variances',
    'withDamping',
    'withNoiseVariance',
    'withPrior',
  ]);
});

type Result<A> = E.Either<LaplaceError, A>;

it('infers the types of a pipe', () => {
  const fitted = F.pipe(
    E.right(FACTORS),
    E.chain(merge(LATER)),
    E.chain(posteriorOf(OPTIONS, javascriptEngine)),
    E.chain(withPrior(isotropic(2))),
    E.map(withDamping(factoredDamping())),
  );
  holds<Same<typeof fitted, Result<Posterior>>>();
  const maximum = F.pipe(fitted, E.chain(maximiseEvidence({ per: 'layer' })));
  holds<Same<typeof maximum, Result<EvidenceMaximum>>>();
  const spread = F.pipe(POSTERIOR, variances(LAYER));
  holds<Same<typeof spread, Result<Matrix>>>();
  const intervals = [REGRESSION].map(credibleIntervals({ level: 0.5 }));
  holds<Same<typeof intervals, CredibleIntervals[]>>();
  const covered = F.pipe(MODEL, coverage(COVERAGE));
  holds<Same<typeof covered, Result<Coverage>>>();
  const first = withPrior(POSTERIOR, isotropic(2));
  holds<Same<typeof first, Result<Posterior>>>();
  // @ts-expect-error another type
  holds<Same<typeof first, Posterior>>();
  expect(E.isRight(fitted)).toBe(true);
});

// Only the compiler looks at these: they would fail at run time.
() => {
  // @ts-expect-error the prior comes second
  withPrior(isotropic(1), POSTERIOR);
  // @ts-expect-error factors are no posterior
  F.pipe(FACTORS, withPrior(isotropic(1)));
  // @ts-expect-error no such option
  maximiseEvidence({ by: 'layer' });
  // @ts-expect-error a number is no prediction
  topK(1, CLASSIFICATION);
};
