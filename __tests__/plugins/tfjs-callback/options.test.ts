/** Options of the callback: shorthand, recipes, and mistakes. */
import { lastValueFrom } from 'rxjs';
import { categorical, kfac, recipe } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { chain, dataOf, pair } from '../../support/networks.js';

const classes = pair('classes, softmax inside');
const data = dataOf(classes, 10);

/** The factors of two epochs without shuffling. */
const factorsOf = async (options: Parameters<typeof laplaceCallback>[0]) => {
  const callback = laplaceCallback(options);
  await chain(classes).fit(data.x, data.y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
  return lastValueFrom(callback.factors$);
};

it('takes shorthand', async () => {
  const short = await factorsOf({ likelihood: 'categorical', curvature: 'kfac', epochs: 'everyEpoch' });
  expect(short).toEqual(await factorsOf({ likelihood: categorical(), curvature: kfac(), epochs: { _tag: 'everyEpoch' } }));
  expect(short.count).toBe(20);
});

it('takes a recipe, with or without an option of its own', async () => {
  const analysis = recipe({ likelihood: 'categorical', curvature: 'kfac', prior: 100, layers: 'last' });
  const plain = await factorsOf({ likelihood: 'categorical', curvature: 'kfac' });
  expect(await factorsOf(analysis)).toEqual(plain);
  const onProgress = jest.fn();
  expect(await factorsOf({ ...analysis, onProgress })).toEqual(plain);
  expect(onProgress).toHaveBeenCalledTimes(3);
});

it.each<[string, unknown, string]>([
  ['an unknown likelihood', { likelihood: 'categoric' }, "(did you mean 'categorical'?)"],
  ['a misspelt option', { likelihood: 'categorical', epoch: 'everyEpoch' }, "(did you mean 'epochs'?)"],
  [
    'an option of toPosterior',
    { likelihood: 'categorical', prior: 100 },
    'laplaceCallback: prior: found 100, expected no such key',
  ],
  ['an option of a Fisher matrix', { likelihood: 'categorical', fisher: 'exact' }, "(it belongs in 'curvature')"],
  ['a wrong type', { likelihood: 'categorical', onProgress: true }, 'onProgress: found true, expected a function'],
  ['a misspelt option beside a recipe', { ...recipe({ likelihood: 'poisson' }), onprogress: 1 }, 'onprogress'],
  ['nothing', undefined, 'laplaceCallback: found nothing, expected an object with a likelihood'],
])('refuses %s at the call', (_, options, message) => {
  expect(() => laplaceCallback(options as never)).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining(message) }),
  );
});
