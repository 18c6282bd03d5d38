/** Factors and posteriors of every structure, written and read again: every bit, and the same predictions. */
import type * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import {
  decodeFactors,
  decodePosterior,
  encodeFactors,
  encodePosterior,
  evidence,
  linearised,
  merge,
  type Posterior,
} from 'tfjs-laplace';
import { STRUCTURE_NAMES } from '../../src/curvature/structure/index.js';
import { KEPT, type Kept, keptOf, LARGE, ownLikelihood } from '../support/kept.js';
import { kindOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { relativeError } from '../support/math/numbers.js';

const likelihoods = [ownLikelihood];
const CASES = Object.keys({ ...KEPT, ...LARGE });

const kept = new Map<string, Kept>();
beforeAll(async () => {
  for (const name of CASES) kept.set(name, await keptOf(name));
});
const own = (name: string): Kept => kept.get(name) as Kept;

it('has every structure among its cases', () => {
  const structures = CASES.flatMap((name) => own(name).posterior.layers.map(({ structure }) => structure));
  expect([...new Set(structures)].sort()).toEqual([...STRUCTURE_NAMES].sort());
});

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  ArrayBuffer.isView(value) ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen));

describe.each(CASES)('%s', (name) => {
  it('keeps every bit of a posterior', () => {
    const { posterior } = own(name);
    const again = right(decodePosterior(right(encodePosterior(posterior)), { likelihoods }));
    expect(again).toStrictEqual(posterior);
    expect(isFrozen(again)).toBe(true);
    expect(right(encodePosterior(again))).toEqual(right(encodePosterior(posterior)));
  });

  it('keeps every bit of factors', () => {
    const { factors } = own(name);
    const again = right(decodeFactors(right(encodeFactors(factors)), { likelihoods }));
    expect(again).toStrictEqual(factors);
  });

  it('predicts as the posterior itself, and factors make the same posterior', async () => {
    const { model, x, posterior, factors } = own(name);
    const again = right(decodePosterior(right(encodePosterior(posterior)), { likelihoods }));
    const input = (x.length === 1 ? x[0] : x) as tf.Tensor;
    if (!name.includes('own')) {
      const predictive = linearised();
      expect(await predictOne(model, again, predictive, input)).toEqual(await predictOne(model, posterior, predictive, input));
    }
    expect(evidence(again)).toEqual(evidence(posterior));
    const made = right(decodeFactors(right(encodeFactors(factors)), { likelihoods }));
    const options = { priorPrecision: 0.3, damping: posterior.damping };
    expect(await posteriorFrom(made, options)).toEqual(await posteriorFrom(factors, options));
  });

  it('can be merged after it was read, with the basis or shares that it had', () => {
    const { factors } = own(name);
    const again = right(decodeFactors(right(encodeFactors(factors)), { likelihoods }));
    const sum = right(merge(again, factors));
    expect(sum.count).toBe(2 * factors.count);
    expect(sum.shares?.length).toBe(factors.shares?.length);
  });

  it('takes other formats, which round', () => {
    const { posterior } = own(name);
    const size = (dtype: 'F64' | 'F32' | 'F16' | 'BF16') => right(encodePosterior(posterior, { dtype })).length;
    expect(size('F32')).toBeLessThan(size('F64'));
    expect(size('F16')).toBeLessThan(size('F32'));
    for (const [dtype, rounding] of [
      ['F32', 2 ** -24],
      ['F16', 2 ** -11],
      ['BF16', 2 ** -8],
    ] as const) {
      const again = right(decodePosterior(right(encodePosterior(posterior, { dtype })), { likelihoods }));
      posterior.layers.forEach(({ mean }, l) => {
        expect(relativeError(again.layers[l]?.mean as Posterior['layers'][number]['mean'], mean)).toBeLessThanOrEqual(rounding);
      });
    }
  });
});

it('says which likelihood of one’s own is missing', () => {
  const bytes = right(encodePosterior(own('a likelihood of one’s own').posterior));
  expect(decodePosterior(bytes)).toMatchObject({
    left: { kind: 'Mismatch', field: 'likelihoods', message: expect.stringContaining('"own"') },
  });
});

it('tells a file of factors from one of a posterior', () => {
  const { factors, posterior } = own('kronecker');
  expect(decodePosterior(right(encodeFactors(factors)))).toMatchObject({
    left: { kind: 'InvalidFile', field: 'kind', message: expect.stringContaining('decodeFactors') },
  });
  expect(decodeFactors(right(encodePosterior(posterior)))).toMatchObject({
    left: { kind: 'InvalidFile', field: 'kind', message: expect.stringContaining('decodePosterior') },
  });
});

it('reads bytes wherever they lie in a buffer, and keeps none of them', () => {
  const { posterior } = own('kronecker');
  const bytes = right(encodePosterior(posterior));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const again = right(decodePosterior(shifted.subarray(3)));
  shifted.fill(0);
  expect(again).toStrictEqual(posterior);
  expect(right(decodePosterior(bytes.buffer.slice(0) as ArrayBuffer))).toStrictEqual(posterior);
});

it('refuses to write what it could not read', () => {
  const { posterior } = own('kronecker');
  const [first, ...rest] = posterior.layers as [Posterior['layers'][number]];
  const broken = (data: Float64Array): Posterior => ({
    ...posterior,
    layers: [{ ...first, mean: { ...first.mean, data } }, ...rest],
  });
  expect(kindOf(encodePosterior(broken(first.mean.data.map(() => Number.NaN))))).toBe('NotFinite');
  expect(kindOf(encodePosterior(broken([...first.mean.data] as never)))).toBe('InvalidInput');
  expect(kindOf(encodePosterior(broken(Float32Array.from(first.mean.data) as never)))).toBe('InvalidInput');
  expect(kindOf(encodePosterior({ ...posterior, likelihood: { _tag: 'gaussian', noiseVariance: Number.NaN } }))).toBe(
    'NotFinite',
  );
  const large = broken(first.mean.data.map(() => 70_000));
  expect(encodePosterior(large, { dtype: 'F16' })).toMatchObject({
    left: { kind: 'NotFinite', message: expect.stringContaining('F64') },
  });
  expect(E.isRight(encodePosterior(large, { dtype: 'BF16' }))).toBe(true);
  expect(kindOf(encodePosterior(own('kronecker').factors as never))).toBe('InvalidInput');
});

it('refuses options and values of another kind', () => {
  expect(() => encodePosterior(own('kronecker').posterior, { dtype: 'F8' as never })).toThrow(/dtype/);
  expect(() => encodePosterior(own('kronecker').posterior, { format: 1 } as never)).toThrow(/format/);
  expect(() => decodePosterior('file.safetensors' as never)).toThrow(/bytes/);
  expect(() => decodeFactors(new Uint8Array(8), { likelihoods: [{ _tag: 'gaussian' }] } as never)).toThrow(/likelihoods/);
});
