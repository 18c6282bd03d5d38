/** Files of parts that leave out what all parts of a pass have in common: it comes from another part, or from the posterior of the basis. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  decodeFactors,
  decodePosterior,
  ekfac,
  encodeFactors,
  encodePosterior,
  type Factors,
  gaussian,
  kfac,
  merge,
  observe,
  openFactors,
  type Posterior,
} from 'tfjs-laplace';
import { KEPT, type Kept, keptOf, ownLikelihood } from '../support/kept.js';
import { posteriorFrom, right } from '../support/math/laplace.js';
import { dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { readerOf } from '../support/readers.js';

const kept = new Map<string, Kept>();
beforeAll(async () => {
  for (const name of Object.keys(KEPT)) kept.set(name, await keptOf(name));
});
const own = (name: string): Kept => kept.get(name) as Kept;

const refusal = { left: { kind: 'Mismatch', field: 'like' } };
const apartOf = (factors: Factors): Uint8Array => right(encodeFactors(factors, { common: 'apart' }));

describe('another part of the pass', () => {
  it.each(['kronecker', 'eigen', 'kronecker with shares'])('gives what a file leaves out: %s', (name) => {
    const { factors } = own(name);
    const [whole, apart] = [right(encodeFactors(factors)), apartOf(factors)];
    expect(apart.length).toBeLessThan(whole.length);
    const like = right(decodeFactors(whole));
    expect(right(decodeFactors(apart, { like }))).toStrictEqual(factors);
    expect(right(merge(right(decodeFactors(apart, { like })), factors)).count).toBe(2 * factors.count);
  });

  it('must have the same weights and layout', () => {
    const apart = apartOf(own('kronecker').factors);
    const others = [undefined, own('diagonal').factors, { ...own('kronecker').factors, fingerprint: 'other' }];
    for (const like of others) expect(decodeFactors(apart, like === undefined ? {} : { like })).toMatchObject(refusal);
    expect(() => decodeFactors(apart, { like: {} as never })).toThrow(/like/);
    expect(() => encodeFactors(own('kronecker').factors, { common: 'none' as never })).toThrow(/common/);
    expect(() => encodePosterior(own('kronecker').posterior, { common: 'apart' } as never)).toThrow(/common/);
  });
});

describe('a posterior', () => {
  it.each(Object.keys(KEPT).filter((name) => name !== 'eigen'))('gives the weights that a file leaves out: %s', (name) => {
    const { factors, posterior } = own(name);
    expect(right(decodeFactors(apartOf(factors), { like: posterior, likelihoods: [ownLikelihood] }))).toStrictEqual(factors);
  });

  /** Factors of ekfac in two parts, in the basis of one posterior. */
  async function inBasis(seed: number): Promise<{ parts: Factors[]; basis: Posterior }> {
    const model = withWeights(
      functional([2], (x) => on(dense(2), on(dense(3, { activation: 'tanh' }), x))),
      5,
    );
    const half = async (seed: number, curvature: Curvature, basis?: Posterior): Promise<Factors> => {
      const [x] = inputsFor(model, 4, seed) as [tf.Tensor];
      const data = from(batches({ x, y: tf.zeros([4, 2]) }, 2));
      const options = basis && { basis };
      return lastValueFrom(data.pipe(observe(model, gaussian()), accumulateFactors(curvature as never, options)));
    };
    const basis = await posteriorFrom(await half(seed, kfac()), { priorPrecision: 1 });
    return { parts: [await half(1, ekfac(), basis), await half(2, ekfac(), basis)], basis };
  }

  it('of the basis of ekfac gives the directions too, from its own file', async () => {
    const { parts, basis } = await inBasis(3);
    const like = right(decodePosterior(right(encodePosterior(basis))));
    const [a, b] = parts.map((part) => right(decodeFactors(apartOf(part), { like }))) as [Factors, Factors];
    expect([a, b]).toStrictEqual(parts);
    expect(right(merge(a, b))).toStrictEqual(right(merge(parts[0] as Factors, parts[1] as Factors)));
    const opened = await openFactors(readerOf(apartOf(parts[0] as Factors)), { like });
    expect(await opened.whole()).toStrictEqual(parts[0]);
  });

  it('must be the basis of ekfac, at the same weights, with the same layers', async () => {
    const { parts, basis } = await inBasis(3);
    const { basis: other } = await inBasis(4);
    const apart = apartOf(parts[0] as Factors);
    const rounded = right(decodePosterior(right(encodePosterior(basis, { dtype: 'F32' }))));
    for (const like of [other, rounded, { ...basis, fingerprint: 'other' }]) {
      expect(decodeFactors(apart, { like })).toMatchObject(refusal);
    }
    const { factors, posterior } = own('kronecker');
    for (const layers of [posterior.layers.slice(1), posterior.layers.map((layer, l) => ({ ...layer, name: `${l}` }))]) {
      expect(decodeFactors(apartOf(factors), { like: { ...posterior, layers } })).toMatchObject(refusal);
    }
    const shorter = posterior.layers.map((layer) => ({ ...layer, mean: { rows: 1, cols: 1, data: new Float64Array(1) } }));
    expect(decodeFactors(apartOf(factors), { like: { ...posterior, layers: shorter } as Posterior })).toMatchObject(refusal);
  });
});
