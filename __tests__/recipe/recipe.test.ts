import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  categorical,
  cqr,
  customFisher,
  customLikelihood,
  customLink,
  diagonal,
  gaussian,
  perOutput,
  perStep,
} from 'tfjs-laplace';
import { ekfac, kfac, kfra } from '../../src/curvature/codec.js';
import type { LaplaceError } from '../../src/errors.js';
import type { Likelihood } from '../../src/likelihood/index.js';
import { type Damping, exactDamping, factoredDamping } from '../../src/posterior/damping.js';
import { isotropic, type Prior, perLayer } from '../../src/posterior/priors.js';
import { linearised, weightSampling } from '../../src/predictive/codec.js';
import type { Recipe, RecipeInput } from '../../src/recipe/codec.js';
import { decodeRecipe, encodeRecipe, isRecipe, type RecipeData, recipe } from '../../src/recipe/recipe.js';
import { type EpochSelection, epochsWhere, finalEpochs } from '../../src/stream/codec.js';
import { recipeData, recipeInput } from '../codec/arbitraries.js';
import { holds, type Same } from '../support/types.js';

const OWN = customLikelihood({ name: 'own', nll: () => tf.tensor1d([0]), hessianRoot: (f) => tf.expandDims(f, 0) });

const refusal = (input: unknown): LaplaceError => {
  const result = decodeRecipe(input);
  if (E.isRight(result)) throw new Error('it decoded');
  return result.left;
};

describe('recipe', () => {
  it('writes every default out', () => {
    expect(recipe({ likelihood: categorical() })).toStrictEqual({
      likelihood: categorical(),
      curvature: kfac({ fisher: 'exact', layers: 'all' }),
      epochs: finalEpochs(1),
      prior: isotropic(1),
      damping: exactDamping(),
      layers: 'all',
      predictive: linearised(),
      tuning: { criterion: 'nll' },
      calibration: 'none',
      report: { resamples: 100, bins: 15, seed: 0 },
      output: 'none',
    });
  });

  it('keeps what is chosen', () => {
    const chosen: Recipe = {
      likelihood: gaussian({ noiseVariance: 0.1 }),
      curvature: kfra({ layers: ['a', 'b'] }),
      epochs: finalEpochs(2),
      prior: perLayer({ a: 1, b: 2 }),
      damping: factoredDamping(),
      layers: ['b'],
      predictive: weightSampling({ samples: 3 }),
      tuning: { criterion: 'brier', rule: 'best', over: ['precision', 'noiseVariance'] },
      calibration: 'none',
      report: { conformal: { score: cqr(), level: 0.8, by: 'all' }, resamples: 50, bins: 10, seed: 3 },
      output: { to: 'file://results', keep: ['factors'], dtype: 'F32' },
    };
    expect(recipe(chosen)).toEqual(chosen);
  });

  it('takes shorthand and gives the canonical form', () => {
    const short = recipe({
      likelihood: 'gaussian',
      curvature: 'ekfac',
      prior: { a: 3 },
      damping: 'factored',
      predictive: 'weightSampling',
    });
    expect(short).toMatchObject({
      likelihood: gaussian(),
      curvature: ekfac(),
      prior: perLayer({ a: 3 }),
      damping: factoredDamping(),
      predictive: weightSampling(),
    });
    expect(recipe({ likelihood: 'categorical', prior: 100 }).prior).toEqual(isotropic(100));
  });

  it('throws with every problem, each with its path', () => {
    const input = {
      curvature: { _tag: 'kfac', fisher: { _tag: 'monteCarlo', samples: -1, sed: 3 }, tolerance: 0 },
      prior: { a: 0 },
      dampng: 'exact',
      layers: ['a', null],
    };
    expect(() => recipe(input as unknown as RecipeInput)).toThrow(
      expect.objectContaining({
        kind: 'InvalidRecipe',
        message: [
          'recipe has 7 problems:',
          "  likelihood: found nothing, expected a likelihood: 'categorical', 'bernoulli', 'gaussian', 'heteroscedastic', 'poisson', 'custom', 'perStep' or 'perOutput';",
          '  curvature.fisher.samples: found -1, expected an integer >= 1;',
          "  curvature.fisher.sed: found 3, expected no such key (did you mean 'seed'?); allowed: samples, seed;",
          "  curvature.tolerance: found 0, expected no such key (it belongs in 'fisher'); allowed: fisher, noise, weightSharing, layers, " +
            'unsupported;',
          '  prior.a: found 0, expected a finite number > 0;',
          '  layers[1]: found null, expected a layer name;',
          '  dampng: found "exact", expected no such key (did you mean \'damping\'?); allowed: likelihood, curvature, epochs, ' +
            'prior, damping, layers, predictive, tuning, calibration, report, output.',
        ].join('\n'),
      }),
    );
  });

  it('throws one problem as one sentence', () => {
    const input = { likelihood: 'softmax' } as unknown as RecipeInput;
    expect(() => recipe(input)).toThrow(
      `recipe: likelihood: found "softmax", expected a likelihood: 'categorical', 'bernoulli', 'gaussian', 'heteroscedastic', 'poisson', 'custom', 'perStep' or 'perOutput'.`,
    );
  });
});

describe('decodeRecipe', () => {
  it.each([[null], [undefined], [[]], ['categorical'], [3], [Number.NaN]])('refuses %p', (input) => {
    expect(refusal(input)).toMatchObject({ kind: 'InvalidRecipe', issues: [{ path: '', expected: 'a recipe' }] });
  });

  it.each<[string, unknown, string]>([
    ['likelihood', { _tag: 'gaussian', noiseVariance: Number.NaN }, 'likelihood.noiseVariance'],
    ['likelihood', { noiseVariance: 1 }, 'likelihood._tag'],
    ['curvature', null, 'curvature'],
    ['curvature', [], 'curvature'],
    ['curvature', { _tag: 'kfac', draws: 1 }, 'curvature.draws'],
    ['curvature', { _tag: 'kfac', fisher: { _tag: 'exact', samples: 1 } }, 'curvature.fisher.samples'],
    ['curvature', { _tag: 'exact' }, 'curvature._tag'],
    ['epochs', { _tag: 'finalEpochs', count: Number.POSITIVE_INFINITY }, 'epochs.count'],
    ['prior', Number.NaN, 'prior'],
    ['prior', { _tag: 'perLayer', precisions: { 'a b': '1' } }, 'prior.precisions["a b"]'],
    ['damping', 'exakt', 'damping'],
    ['layers', 'first', 'layers'],
    ['tuning', { over: ['scale', 'width'] }, 'tuning.over[1]'],
    ['predictive', { _tag: 'linearised', temperature: -0.1 }, 'predictive.temperature'],
    ['calibration', 'platt', 'calibration'],
    ['calibration', { _tag: 'vector', penalty: 0 }, 'calibration.penalty'],
    ['report', { conformal: { level: 1 } }, 'report.conformal.level'],
    ['report', { abstention: {} }, 'report.abstention.risk'],
    ['output', { keep: ['posterior'] }, 'output.to'],
    ['output', { to: 'file://a', keep: ['model'] }, 'output.keep[0]'],
  ])('says where %s is wrong: %j', (key, value, path) => {
    expect(refusal({ likelihood: 'categorical', [key]: value }).issues.map((issue) => issue.path)).toEqual([path]);
  });

  it.each<[unknown, string, unknown]>([
    ['gaussian', 'predictive.link', { predictive: { _tag: 'linearised', link: 'monteCarlo' } }],
    ['poisson', 'predictive.scale', { predictive: { _tag: 'linearised', scale: 2 } }],
    ['gaussian', 'tuning.criterion', { tuning: { criterion: 'ece' } }],
    ['categorical', 'tuning.criterion', { tuning: { criterion: 'crps' } }],
    ['poisson', 'tuning.over', { tuning: { over: ['precision', 'noiseVariance'] } }],
    ['gaussian', 'tuning.over', { tuning: { over: ['scale'] } }],
    ['heteroscedastic', 'calibration', { calibration: 'temperature' }],
    ['gaussian', 'report.conformal.score', { report: { conformal: { score: 'lac' } } }],
    ['gaussian', 'report.conformal.by', { report: { conformal: { by: 'class' } } }],
    ['categorical', 'report.conformal.score', { report: { conformal: { score: 'cqr' } } }],
    ['poisson', 'report.abstention', { report: { abstention: { risk: 0.1 } } }],
    ['categorical', 'output.keep', { output: { to: 'indexeddb://a' } }],
    ['categorical', 'output.keep', { output: { to: 'file://a.safetensors', keep: ['report'] } }],
  ])('tells what does not go together: %j, %s', (likelihood, path, choice) => {
    expect(refusal({ likelihood, ...(choice as object) }).issues.map((issue) => issue.path)).toEqual([path]);
  });

  it('lists all problems between choices at once', () => {
    const { message } = refusal({ likelihood: 'gaussian', calibration: 'vector', predictive: { _tag: 'linearised', scale: 2 } });
    expect(message).toBe(
      [
        'recipe has 2 problems:',
        '  predictive.scale: found 2, expected no scale: gaussian has no probabilities of classes;',
        "  calibration: found 'vector', expected 'none': gaussian has no probabilities of classes.",
      ].join('\n'),
    );
  });

  it.each([
    [{ likelihood: perOutput({ a: categorical(), b: gaussian() }), calibration: 'temperature' }],
    [{ likelihood: perOutput({ a: categorical(), b: gaussian() }), predictive: linearised({ link: 'monteCarlo' }) }],
    [{ likelihood: perOutput({ a: categorical(), b: gaussian() }), report: { conformal: { score: 'cqr' } } }],
    [{ likelihood: OWN, predictive: linearised({ link: 'monteCarlo' }) }],
    [{ likelihood: 'categorical', output: { to: 'indexeddb://a', keep: ['posterior'] } }],
  ])('takes what goes together for one of the outputs: %j', (input) => {
    expect(decodeRecipe(input)).toMatchObject({ _tag: 'Right' });
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(recipeInput, (input) => {
        const once = decodeRecipe(input);
        expect(E.isRight(once)).toBe(true);
        expect(E.chain(decodeRecipe)(once)).toEqual(once);
      }),
    );
  });
});

describe('encodeRecipe', () => {
  it('is undone by decodeRecipe, with JSON in between', () => {
    fc.assert(
      fc.property(recipeData, (value) => {
        const json = E.map(JSON.stringify)(encodeRecipe(value));
        expect(E.chain((text: string) => decodeRecipe(JSON.parse(text)))(json)).toEqual(E.right(value));
      }),
    );
  });

  it('says that a predicate is no data', () => {
    const result = encodeRecipe(recipe({ likelihood: 'categorical', epochs: epochsWhere((epoch) => epoch > 3) }));
    expect(E.isLeft(result) && result.left).toMatchObject({
      kind: 'InvalidRecipe',
      field: 'epochs.predicate',
      found: 'a function',
      expected: 'finalEpochs or everyEpoch',
    });
  });

  it.each([OWN, perStep(OWN)])("says that a likelihood of one's own is no data: $_tag", (likelihood) => {
    const result = encodeRecipe(recipe({ likelihood }));
    expect(E.isLeft(result) && result.left).toMatchObject({
      kind: 'InvalidRecipe',
      field: 'likelihood',
      message: 'recipe: likelihood cannot be written as data: found a function, expected a likelihood of the library.',
    });
  });

  it("says that a Fisher matrix of one's own is no data", () => {
    const fisher = customFisher({ name: 'own', columns: (f) => tf.expandDims(f, 0) });
    const result = encodeRecipe(recipe({ likelihood: 'categorical', curvature: diagonal({ fisher }) }));
    expect(E.isLeft(result) && result.left).toMatchObject({
      kind: 'InvalidRecipe',
      field: 'curvature.fisher',
      found: 'a function',
      expected: 'a Fisher matrix of the library',
    });
  });

  it("says that a link of one's own is no data", () => {
    const moments = { probabilities: [1], standardDeviations: [0], expectedEntropy: 0 };
    const link = customLink({ name: 'own', classes: () => moments });
    const result = encodeRecipe(recipe({ likelihood: 'categorical', predictive: linearised({ link }) }));
    expect(E.isLeft(result) && result.left).toMatchObject({
      kind: 'InvalidRecipe',
      field: 'predictive.link',
      found: 'a function',
      expected: 'a link of the library',
    });
  });

  it('writes nothing that could not be read again', () => {
    const broken = { ...recipe({ likelihood: 'categorical' }), prior: { _tag: 'isotropic', precision: Number.NaN } } as const;
    const result = encodeRecipe(broken);
    expect(E.isLeft(result) && result.left.issues).toEqual([
      { path: 'prior.precision', found: 'NaN', expected: 'a finite number > 0' },
    ]);
  });
});

describe('isRecipe', () => {
  it('knows whole recipes, also after a structured clone', () => {
    const whole = recipe({ likelihood: 'categorical' });
    expect(isRecipe(whole)).toBe(true);
    expect(isRecipe(structuredClone(whole))).toBe(true);
  });

  it.each([
    [null],
    [{}],
    [categorical()],
    [{ likelihood: categorical() }],
    [{ ...recipe({ likelihood: 'categorical' }), extra: 1 }],
  ])('knows that %j is none', (value) => {
    expect(isRecipe(value)).toBe(false);
  });
});

holds<Same<Recipe['likelihood'], Likelihood>>();
holds<Same<Recipe['prior'], Prior>>();
holds<Same<Recipe['damping'], Damping>>();
holds<Same<RecipeData['epochs'], Exclude<EpochSelection, { readonly _tag: 'epochsWhere' }>>>();
// @ts-expect-error a likelihood has no default
void (() => recipe({}));
// @ts-expect-error a misspelt choice
void (() => recipe({ likelihood: 'categorical', priors: 3 }));
