import { categorical, composeRecipe, gaussian, linearised, perOutput, poisson, presets, recipe } from 'tfjs-laplace';

it('gives the recipe of its parts, of which a later one wins', () => {
  const analysis = composeRecipe(presets.ritter2018, { likelihood: 'categorical', prior: 3 }, { prior: 10, damping: undefined });
  expect(analysis).toEqual(recipe({ ...presets.ritter2018, likelihood: 'categorical', prior: 10 }));
  expect(analysis.damping).toEqual({ _tag: 'factored' });
});

it.each(Object.entries(presets))('makes a recipe of the preset %s, for classes and for numbers', (_name, preset) => {
  expect(recipe({ likelihood: 'categorical', ...preset })).toMatchObject({ likelihood: { _tag: 'categorical' } });
  expect(recipe({ likelihood: 'gaussian', ...preset })).toMatchObject({ likelihood: { _tag: 'gaussian' } });
});

it('gives every preset an analysis of its own', () => {
  const all = Object.values(presets).map((preset) => JSON.stringify(recipe({ likelihood: 'categorical', ...preset })));
  expect(new Set(all).size).toBe(all.length);
});

it('refuses at run time what types cannot know', () => {
  const link = linearised({ link: 'monteCarlo' as 'probit' | 'monteCarlo' });
  const likelihood = (): 'gaussian' | 'categorical' => 'gaussian';
  expect(() => composeRecipe({ likelihood: likelihood() }, { predictive: link })).toThrow(
    expect.objectContaining({ kind: 'InvalidRecipe', field: 'predictive.link' }),
  );
  expect(() => composeRecipe({ likelihood: 'gaussian', ...({ priors: 3 } as object) })).toThrow('priors');
});

const probit = { predictive: linearised({ link: 'probit' }) };
const several = { likelihood: perOutput({ a: categorical(), b: gaussian() }) };

// What is right.
composeRecipe({ likelihood: gaussian() }, { predictive: linearised() });
composeRecipe({ likelihood: 'categorical', calibration: 'temperature' }, probit);
composeRecipe(several, probit);
composeRecipe({ likelihood: 'gaussian' }, probit, { predictive: 'linearised' });
composeRecipe({ likelihood: 'gaussian' }, probit, presets.bensemble);

// What types know to be wrong.
void (() => {
  // @ts-expect-error a link for numbers
  composeRecipe({ likelihood: gaussian() }, probit);
  // @ts-expect-error the same, written out
  composeRecipe({ likelihood: 'gaussian', predictive: { _tag: 'linearised', link: 'probit' } });
  // @ts-expect-error no output has classes
  composeRecipe({ likelihood: perOutput({ a: poisson(), b: gaussian() }) }, probit);
  // @ts-expect-error a calibration of numbers
  composeRecipe({ likelihood: 'poisson', calibration: 'temperature' });
  // @ts-expect-error no likelihood
  composeRecipe({ prior: 3 }, probit);
  // @ts-expect-error a misspelt choice
  composeRecipe({ likelihod: 'gaussian' });
});
