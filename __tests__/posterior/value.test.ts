/** A posterior is a frozen plain value: it survives a clone, and predicts the same afterwards. */
import { categorical, kfac, linearised } from 'tfjs-laplace';
import { dataFor, factorsOf, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';

/** Every object that is not frozen, by its path. Numbers of a typed array cannot be frozen. */
function unfrozen(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return [
    ...(Object.isFrozen(value) ? [] : [path]),
    ...Object.entries(value).flatMap(([key, v]) => unfrozen(v, `${path}.${key}`)),
  ];
}

const fitted = async () => {
  const model = chain([4, 3]);
  const factors = await factorsOf(model, categorical(), dataFor(model, categorical(), 9), kfac());
  return { model, factors };
};

it('is frozen all the way down, also when its factors came through a worker', async () => {
  const { factors } = await fitted();
  expect(unfrozen(await posteriorFrom(factors, {}))).toEqual([]);
  expect(unfrozen(await posteriorFrom(structuredClone(factors), { damping: { _tag: 'factored' } }))).toEqual([]);
});

it('predicts the same after a structured clone, of itself or of its factors', async () => {
  const { model, factors } = await fitted();
  const posterior = await posteriorFrom(factors, { priorPrecision: 3 });
  const [x] = inputsFor(model, 4, 8);
  const expected = await predictOne(model, posterior, linearised(), x as never);
  expect(structuredClone(posterior)).toEqual(posterior);
  expect(await predictOne(model, structuredClone(posterior), linearised(), x as never)).toEqual(expected);
  const elsewhere = await posteriorFrom(structuredClone(factors), { priorPrecision: 3 });
  expect(await predictOne(model, elsewhere, linearised(), x as never)).toEqual(expected);
});

it('leaves factors alone, and does not share memory that they could be changed through', async () => {
  const { factors } = await fitted();
  const before = structuredClone(factors);
  await posteriorFrom(factors, { priorPrecision: 3 });
  expect(factors).toEqual(before);
});
