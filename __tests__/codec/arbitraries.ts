/** Every value of the DSL at random: canonical values, and what may be written for them. */
import fc from 'fast-check';
import type { LayerSelection } from '../../src/codec/index.js';
import type { Curvature, CurvatureInput } from '../../src/curvature/codec.js';
import type { Likelihood, LikelihoodInput } from '../../src/likelihood/index.js';
import type { PriorInput } from '../../src/posterior/codec.js';
import type { Damping, DampingInput } from '../../src/posterior/damping.js';
import type { Prior } from '../../src/posterior/priors.js';
import type { Predictive, PredictiveInput } from '../../src/predictive/codec.js';
import type { PartialRecipe, Recipe, RecipeInput } from '../../src/recipe/codec.js';
import type { RecipeData } from '../../src/recipe/recipe.js';
import type { EpochSelection, EpochSelectionInput } from '../../src/stream/codec.js';
import { DIMENSIONS, type TuningChoices } from '../../src/tuning/codec.js';

const finite = { noNaN: true, noDefaultInfinity: true };
const positive = fc.double({ ...finite, min: Number.MIN_VALUE });
const nonNegative = fc.double({ ...finite, min: 0 });
const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const seed = fc.integer({ min: 0, max: 0xffffffff });
/** With the names that are properties of every object. */
const layerName = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'precision', '0', 'a.b/c'),
);
const precisions = fc.dictionary(layerName, positive, { minKeys: 1 });
/** Without the fields of a prior. */
const layersAlone = precisions.filter((one) => ['_tag', 'precision', 'precisions'].every((key) => !Object.hasOwn(one, key)));
const constant = <const T>(value: T) => fc.constant(value);
/** Any of the keys but the tag may be missing. */
const some = <T extends { readonly _tag: fc.Arbitrary<unknown> }>(model: T) =>
  fc.record(model, { requiredKeys: ['_tag'] } as never);

export const layers: fc.Arbitrary<LayerSelection> = fc.oneof(
  fc.constantFrom('all' as const, 'last' as const),
  fc.array(layerName, { minLength: 1 }),
);

const gaussianParts = {
  _tag: constant('gaussian'),
  noiseVariance: fc.oneof(positive, fc.array(positive, { minLength: 1 })),
};
const classParts = {
  _tag: fc.constantFrom('categorical' as const, 'bernoulli' as const),
  labelSmoothing: fc.double({ ...finite, min: 0, max: 1, maxExcluded: true }),
  classWeights: fc.array(nonNegative, { minLength: 1 }),
};
const customParts = {
  _tag: constant('custom'),
  name: fc.string({ minLength: 1 }),
  nll: fc.func(fc.anything()),
  hessianRoot: fc.func(fc.anything()),
  mean: fc.func(fc.anything()),
};
/** Those of one step that are data. */
const stepData = fc.oneof(
  fc.record(classParts, { requiredKeys: ['_tag', 'labelSmoothing'] }),
  fc.record(gaussianParts),
  fc.record({ _tag: fc.constantFrom('heteroscedastic', 'poisson') }),
);
const custom = fc.record(customParts, { requiredKeys: ['_tag', 'name', 'nll', 'hessianRoot'] });
const perStep = (each: fc.Arbitrary<unknown>) =>
  fc.record(
    { _tag: constant('perStep'), each, ignoreLabel: fc.double(finite).map((v) => v + 0) },
    { requiredKeys: ['_tag', 'each'] },
  );
const perOutput = (each: fc.Arbitrary<unknown>) =>
  fc.record({ _tag: constant('perOutput'), outputs: fc.dictionary(layerName, each, { minKeys: 1, maxKeys: 3 }) });
/** Those that are data, of one output. */
const outputData = fc.oneof(stepData, perStep(stepData));
/** Those that are data. */
export const likelihoodData = fc.oneof(outputData, perOutput(outputData)) as fc.Arbitrary<RecipeData['likelihood']>;
const outputCode = fc.oneof(custom, perStep(custom));
export const likelihood = fc.oneof(likelihoodData, outputCode, perOutput(outputCode)) as fc.Arbitrary<Likelihood>;

const fraction = fc.double({ ...finite, min: 0, max: 1, maxExcluded: true });
const coverage = { layers, unsupported: fc.constantFrom('error' as const, 'map' as const, 'diagonal' as const) };
const sharing = { weightSharing: fc.constantFrom('expand' as const, 'reduce' as const) };
const truncatedFisher = { _tag: constant('truncated'), tolerance: fraction };
const monteCarloFisher = { _tag: constant('monteCarlo'), samples: count, seed };
const fisher = fc.oneof(
  fc.record({ _tag: fc.constantFrom('exact' as const, 'empirical' as const) }),
  fc.record(truncatedFisher),
  fc.record(monteCarloFisher),
);
const fisherInput = fc.oneof(
  fisher,
  fc.constantFrom('exact', 'truncated', 'monteCarlo', 'empirical'),
  some(truncatedFisher),
  some(monteCarloFisher),
);

const ownFisher = fc.record(
  { _tag: constant('customFisher'), name: layerName, columns: constant(() => undefined), rowsPerExample: count },
  { requiredKeys: ['_tag', 'name', 'columns'] },
);

const kfac = { _tag: fc.constantFrom('kfac' as const, 'ekfac' as const), fisher, ...sharing, ...coverage };
const kfra = { _tag: constant('kfra'), ...coverage };
const baseline = { _tag: fc.constantFrom('diagonal' as const, 'full' as const), fisher, ...coverage };
const lowRank = { _tag: constant('lowRank'), rank: count, seed, layers };
const noise = fc.constantFrom('shared' as const, 'perOutput' as const);

/** Those that are data. */
export const curvatureData = fc.oneof(
  fc.record(kfac),
  fc.record({ ...kfac, noise }),
  fc.record(kfra),
  fc.record(baseline),
  fc.record({ ...baseline, noise }),
  fc.record(lowRank),
) as fc.Arbitrary<RecipeData['curvature']>;
export const curvature = fc.oneof(
  curvatureData,
  fc.record({ ...kfac, fisher: ownFisher }),
  fc.record({ ...baseline, fisher: ownFisher }),
) as fc.Arbitrary<Curvature>;

export const prior: fc.Arbitrary<Prior> = fc.oneof(
  fc.record({ _tag: constant('isotropic'), precision: positive }),
  fc.record({ _tag: constant('perLayer'), precisions }),
);

export const damping: fc.Arbitrary<Damping> = fc.record({ _tag: fc.constantFrom('exact', 'factored') });

const linearised = {
  _tag: constant('linearised'),
  link: fc.constantFrom('probit' as const, 'multiclassProbit' as const, 'monteCarlo' as const, 'laplaceBridge' as const),
  samples: fc.integer({ min: 1, max: 2 ** 52 - 1 }).map((pairs) => 2 * pairs),
  seed,
  temperature: nonNegative,
  scale: positive,
};
const linked = {
  ...linearised,
  link: fc.record(
    {
      _tag: constant('customLink'),
      name: fc.string({ minLength: 1 }),
      classes: fc.func(fc.anything()),
      labels: fc.func(fc.anything()),
    },
    { requiredKeys: ['_tag', 'name', 'classes'] },
  ),
};
const sampling = {
  _tag: fc.constantFrom('activationSampling' as const, 'weightSampling' as const),
  samples: count,
  temperature: nonNegative,
  scale: positive,
  seed,
  design: fc.constantFrom('independent' as const, 'antithetic' as const, 'quasiRandom' as const),
};
/** Those that are data. */
export const predictiveData = fc.oneof(
  fc.record(linearised),
  fc.record(sampling),
  fc.record({ ...sampling, standardError: positive }),
  fc.record({ ...sampling, _tag: constant('functionSampling') }),
) as fc.Arbitrary<RecipeData['predictive']>;
export const predictive = fc.oneof(predictiveData, fc.record(linked)) as fc.Arbitrary<Predictive>;

const finalEpochs = fc.record(
  { _tag: constant('finalEpochs'), count, stopsEarly: fc.boolean() },
  { requiredKeys: ['_tag', 'count'] },
);
/** Those that are data. */
export const epochData: fc.Arbitrary<Exclude<EpochSelection, { _tag: 'epochsWhere' }>> = fc.oneof(
  finalEpochs,
  fc.record({ _tag: constant('everyEpoch') }),
);
export const epochs: fc.Arbitrary<EpochSelection> = fc.oneof(
  epochData,
  fc.record({ _tag: constant('epochsWhere'), predicate: fc.func(fc.boolean()) as fc.Arbitrary<(epoch: number) => boolean> }),
);

const tuningOf = (criterion: fc.Arbitrary<unknown>) =>
  fc.record(
    {
      criterion,
      rule: fc.constantFrom('best', 'widest', 'evidence'),
      over: fc.uniqueArray(fc.constantFrom(...DIMENSIONS), { minLength: 1 }),
      precisions: fc.array(positive, { minLength: 1 }),
    },
    { requiredKeys: ['criterion'] },
  );
/** Those that are data. */
export const tuningData = tuningOf(fc.constantFrom('nll', 'brier', 'ece', 'crps')) as fc.Arbitrary<RecipeData['tuning']>;
export const tuning = fc.oneof(tuningData, tuningOf(fc.func(fc.constant([])))) as fc.Arbitrary<TuningChoices>;

export const calibration = fc.oneof(
  constant('none'),
  fc.record({ _tag: fc.constantFrom('temperature' as const, 'isotonic' as const) }),
  fc.record({ _tag: fc.constantFrom('vector' as const, 'matrix' as const), penalty: positive }),
  fc.record({ _tag: constant('histogram'), bins: count }),
) as fc.Arbitrary<Recipe['calibration']>;

const inside = fc.double({ ...finite, min: 0, max: 1, minExcluded: true, maxExcluded: true });
const scores = fc.oneof(
  fc.record({ _tag: fc.constantFrom('lac', 'normalised', 'absolute', 'cqr') }),
  fc.record({ _tag: constant('aps'), randomised: fc.boolean(), seed }),
);
const conformal = fc.record(
  { score: scores, level: inside, by: fc.constantFrom('all', 'class') },
  { requiredKeys: ['level', 'by'] },
);
const abstention = fc.record({ risk: inside, confidence: inside });
const resamples = fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER });
export const report = fc.record(
  { conformal, abstention, resamples, bins: count, seed },
  { requiredKeys: ['resamples', 'bins', 'seed'] },
) as fc.Arbitrary<Recipe['report']>;

const kept = fc.uniqueArray(fc.constantFrom('posterior', 'factors', 'report'), { minLength: 1 });
export const output = fc.oneof(
  constant('none'),
  fc.record({ to: fc.string({ minLength: 1 }), keep: kept, dtype: fc.constantFrom('F64', 'F32', 'F16', 'BF16') }),
) as fc.Arbitrary<Recipe['output']>;

const parts = { likelihood, curvature, epochs, prior, damping, layers, predictive, tuning, calibration, report, output };
/** Choices that are each right by itself. */
export const anyRecipe: fc.Arbitrary<Recipe> = fc.record(parts);
/** Choices that go together. */
export const recipe = anyRecipe.map(together);
export const recipeData = fc
  .record({
    ...parts,
    likelihood: likelihoodData,
    curvature: curvatureData,
    epochs: epochData,
    predictive: predictiveData,
    tuning: tuningData,
  })
  .map(together);

export const likelihoodInput = fc.oneof(
  likelihood,
  fc.constantFrom('categorical', 'bernoulli', 'gaussian', 'heteroscedastic', 'poisson'),
  some(gaussianParts),
  some(classParts),
  perStep(fc.constantFrom('categorical', 'poisson')),
  perOutput(fc.oneof(fc.constantFrom('categorical', 'poisson'), some(gaussianParts))),
) as fc.Arbitrary<LikelihoodInput>;
export const curvatureInput = fc.oneof(
  curvature,
  fc.constantFrom('kfac', 'kfra', 'ekfac', 'diagonal', 'full', 'lowRank'),
  some({ ...kfac, noise, fisher: fisherInput }),
  some(kfra),
  some({ ...baseline, noise, fisher: fisherInput }),
  some(lowRank),
) as fc.Arbitrary<CurvatureInput>;
export const priorInput = fc.oneof(
  prior,
  positive,
  layersAlone,
  constant('isotropic'),
  some({ _tag: constant('isotropic') }),
) as fc.Arbitrary<PriorInput>;
export const dampingInput: fc.Arbitrary<DampingInput> = fc.oneof(damping, fc.constantFrom('exact' as const, 'factored' as const));
export const predictiveInput = fc.oneof(
  predictive,
  fc.constantFrom('linearised', 'activationSampling', 'weightSampling'),
  some(linearised),
  some(sampling),
) as fc.Arbitrary<PredictiveInput>;
export const epochsInput = fc.oneof(
  epochs,
  fc.constantFrom('finalEpochs', 'everyEpoch'),
  some({ _tag: constant('finalEpochs'), count, stopsEarly: fc.boolean() }),
) as fc.Arbitrary<EpochSelectionInput>;

const inputs = {
  likelihood: likelihoodInput,
  curvature: curvatureInput,
  epochs: epochsInput,
  prior: priorInput,
  damping: dampingInput,
  layers,
  predictive: predictiveInput,
  tuning,
  calibration,
  report,
  output,
};
/** Choices that are each right by itself. */
export const anyRecipeInput = fc.record(inputs, { requiredKeys: ['likelihood'] }) as fc.Arbitrary<RecipeInput>;
/** Choices that go together. */
export const recipeInput = anyRecipeInput.map(together);
/** With choices that are present and undefined. */
export const partialRecipe = fc.record(
  Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [key, fc.option<unknown, undefined>(value, { nil: undefined })]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<PartialRecipe>;

/** What an output is about, from the likelihood as it may be written. */
function kindsOf(likelihood: unknown): ReadonlyArray<string> {
  if (typeof likelihood === 'string') return [likelihood];
  const { _tag, each, outputs } = likelihood as { _tag: string; each?: unknown; outputs?: object };
  if (each !== undefined) return kindsOf(each);
  return outputs === undefined ? [_tag] : Object.values(outputs).flatMap(kindsOf);
}

/** A recipe whose choices go together: those that the likelihood has no use for are left out, or get their default. */
function together<R extends object>(given: R): R {
  const all = given as Record<string, unknown> & { likelihood: unknown };
  const kinds = kindsOf(all.likelihood);
  const areClasses = kinds.map((kind) => kind === 'categorical' || kind === 'bernoulli');
  const hasNoise = typeof all.likelihood === 'string' ? kinds[0] === 'gaussian' : noiseIn(all.likelihood);
  const next = { ...all };
  const change = (key: string, choose: (own: Record<string, unknown>) => unknown) => {
    if (typeof next[key] === 'object' && next[key] !== null) next[key] = choose(next[key] as Record<string, unknown>);
  };
  const none = !areClasses.includes(true);
  change('predictive', (own) => ({
    ...own,
    ...(none && 'link' in own && { link: 'probit' }),
    ...(none && 'scale' in own && { scale: 1 }),
  }));
  change('tuning', ({ over, ...own }) => {
    const rest = ((over ?? []) as ReadonlyArray<string>).filter((one) =>
      one === 'scale' ? !none : !one.startsWith('noise') || hasNoise,
    );
    const named = own.criterion === 'ece' || own.criterion === 'crps';
    return { ...own, ...(named && { criterion: 'nll' }), ...(rest.length > 0 && { over: rest }) };
  });
  if (none && next.calibration !== undefined) next.calibration = 'none';
  change('report', ({ conformal: sets, abstention: risk, ...own }) => {
    const { score: _score, ...other } = (sets ?? {}) as Record<string, unknown>;
    return {
      ...own,
      ...(sets !== undefined && { conformal: { ...other, by: 'all' } }),
      ...(!none && risk !== undefined && { abstention: risk }),
    };
  });
  change('output', (own) => ({ ...own, to: 'file://results' }));
  return next as R;
}

/** Whether a likelihood has a noise variance: that of the whole output, or of every step. */
const noiseIn = (likelihood: unknown): boolean => {
  const { _tag, each, ignoreLabel } = likelihood as { _tag?: string; each?: unknown; ignoreLabel?: number };
  if (_tag !== 'perStep') return _tag === 'gaussian';
  return ignoreLabel === undefined && kindsOf(each)[0] === 'gaussian';
};
