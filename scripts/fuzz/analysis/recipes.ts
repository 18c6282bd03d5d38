/** Random recipes for a network: every estimator, prior, damping and predictive that the likelihood allows. */
import fc from 'fast-check';
import type { RecipeInput } from 'tfjs-laplace';
import type { Head } from './heads.js';
import type { NetworkSpec } from './network.js';

const seed = fc.nat(1000);
const fisher = fc.oneof(
  fc.constantFrom({ _tag: 'exact' }, { _tag: 'empirical' }, { _tag: 'exact' }),
  fc.record({ _tag: fc.constant('truncated'), tolerance: fc.constantFrom(0, 1e-3, 0.5) }),
  fc.record({ _tag: fc.constant('monteCarlo'), samples: fc.integer({ min: 1, max: 3 }), seed }),
);
const coverage = {
  layers: fc.constantFrom('all', 'all', 'last'),
  unsupported: fc.constantFrom('error', 'map', 'diagonal'),
};
const sharing = { weightSharing: fc.constantFrom('expand', 'reduce') };
const tagged = (...tags: string[]) => ({ _tag: fc.constantFrom(...tags) });

const shared = fc.oneof(
  { weight: 5, arbitrary: fc.record({ ...tagged('kfac', 'ekfac'), fisher, ...sharing, ...coverage }) },
  { weight: 3, arbitrary: fc.record({ ...tagged('diagonal', 'full'), fisher, ...coverage }) },
  { weight: 1, arbitrary: fc.record({ ...tagged('kfra'), ...coverage }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...tagged('lowRank'), rank: fc.integer({ min: 1, max: 5 }), seed, layers: fc.constant('last') }),
  },
);
/** These are for a Gaussian likelihood and the exact Fisher matrix alone. */
const perOutput = fc
  .oneof(
    fc.record({ ...tagged('kfac', 'ekfac'), ...sharing, ...coverage }),
    fc.record({ ...tagged('diagonal', 'full'), ...coverage }),
  )
  .map((own) => ({ ...own, fisher: { _tag: 'exact' }, noise: 'perOutput' }));

const temperature = fc.constantFrom(1, 0, 0.1, 10);
const design = fc.constantFrom('independent', 'antithetic', 'quasiRandom');
/** A variance needs two draws, or two pairs of antithetic ones. */
const samples = fc.constantFrom(4, 5, 8);
/** Classes and labels alone have a scale and a link. */
const scales = (hasProbabilities: boolean) => fc.constantFrom(1, ...(hasProbabilities ? [0.1, 7] : []));
const links = (hasProbabilities: boolean) =>
  fc.constantFrom('probit', ...(hasProbabilities ? ['multiclassProbit', 'monteCarlo', 'laplaceBridge'] : []));

const predictives = (hasProbabilities: boolean) => {
  const common = { temperature, seed, scale: scales(hasProbabilities) };
  return fc.oneof(
    fc.record({ ...tagged('linearised'), link: links(hasProbabilities), samples: fc.constantFrom(2, 16), ...common }),
    fc.record({ ...tagged('activationSampling', 'weightSampling', 'functionSampling'), samples, design, ...common }),
    fc.record({
      ...tagged('activationSampling', 'weightSampling'),
      samples: fc.constant(12),
      design,
      standardError: fc.constantFrom(0.01, 1),
      ...common,
    }),
  );
};

const prior = fc.constantFrom(1, 0.01, 100, 1e-6, 1e6);
const damping = fc.constantFrom('exact', 'factored');

/** The choices of a recipe beside its likelihood. */
export type Choices = Pick<RecipeInput, 'curvature' | 'prior' | 'damping' | 'predictive'>;

/** Whether an output has probabilities of classes or labels. */
const hasProbabilities = (heads: ReadonlyArray<Head>): boolean =>
  heads.some(({ likelihood: { _tag } }) => _tag === 'categorical' || _tag === 'bernoulli');

/** Choices that suit outputs. */
export const choicesFor = (heads: ReadonlyArray<Head>, { join }: NetworkSpec, ignores: boolean): fc.Arbitrary<Choices> => {
  const [only, ...more] = heads;
  const hasNoise = more.length === 0 && only?.likelihood._tag === 'gaussian' && !(ignores && join === 'none');
  return fc.record({
    curvature: hasNoise ? fc.oneof(shared, perOutput) : shared,
    prior,
    damping,
    predictive: predictives(hasProbabilities(heads)),
  }) as fc.Arbitrary<Choices>;
};
