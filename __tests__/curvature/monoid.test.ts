/** Factors are a commutative monoid of sums: laws on random factors, and on a data set cut into shards. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { categorical, type Factors, kfac, merge, mergeEpochs } from 'tfjs-laplace';
import { EMPTY, factors, numbersIn, WEIGHTS } from '../support/arbitraryFactors.js';
import { kronecker } from '../support/kronecker.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

/** The same factors in every run. */
const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 1 });

const sum = (a: Factors, b: Factors): Factors => right(merge(a, b));

describe('merge', () => {
  it('has the empty factors as its identity, to the last bit', () => {
    check(
      fc.property(factors, (a) => {
        // −0 + 0 is 0: the same number, another bit.
        expect(numbersIn(sum(a, EMPTY))).toEqual(numbersIn(a).map((v) => v + 0));
        expect(sum(EMPTY, a)).toEqual(sum(a, EMPTY));
      }),
    );
  });

  it('commutes, to the last bit', () => {
    check(fc.property(factors, factors, (a, b) => expect(sum(a, b)).toEqual(sum(b, a))));
  });

  it('is associative, up to the rounding of float64', () => {
    check(
      fc.property(factors, factors, factors, (a, b, c) => {
        const [left, other] = [numbersIn(sum(sum(a, b), c)), numbersIn(sum(a, sum(b, c)))];
        // Two additions of numbers below 3e6: two roundings of 2⁻⁵³ · 3e6 on each side.
        left.forEach((v, i) => expect(Math.abs(v - (other[i] as number))).toBeLessThan(4 * 2 ** -53 * 3e6));
      }),
    );
  });

  it('leaves its arguments alone', () => {
    check(
      fc.property(factors, factors, (a, b) => {
        const before = structuredClone([a, b]);
        merge(a, b);
        expect([a, b]).toEqual(before);
      }),
    );
  });
});

describe('mergeEpochs', () => {
  it('adds sums and counts as merge does, of the same data: the larger data set, the later weights', () => {
    check(
      fc.property(factors, factors, (a, b) => {
        const later: Factors = { ...b, fingerprint: 'beef', weights: WEIGHTS.map((w) => ({ ...w, data: w.data.map(() => 2) })) };
        const found = right(mergeEpochs(a, later));
        expect(found.layers).toEqual(sum(a, b).layers);
        expect([found.count, found.rows, found.logLikelihood]).toEqual([
          a.count + b.count,
          a.rows + b.rows,
          a.logLikelihood + b.logLikelihood,
        ]);
        expect(found.datasetSize).toBe(Math.max(a.datasetSize, b.datasetSize));
        expect([found.fingerprint, found.weights]).toEqual([later.fingerprint, later.weights]);
      }),
    );
  });
});

it('gives the factors of one pass over the whole from passes over shards, in any order', async () => {
  const model = chain([4, 3]);
  const { x, y } = dataFor(model, categorical(), 11);
  const shard = (start: number, size: number): Promise<Factors> =>
    factorsOf(model, categorical(), { x: x.map((t) => tf.slice(t, start, size)), y: tf.slice(y, start, size) }, kfac(), 2);
  const whole = await factorsOf(model, categorical(), { x, y }, kfac(), 4);
  const [a, b, c] = (await Promise.all([shard(0, 3), shard(3, 1), shard(4, 7)])) as [Factors, Factors, Factors];
  for (const merged of [sum(sum(a, b), c), sum(c, sum(b, a))]) {
    expect([merged.count, merged.datasetSize, merged.fingerprint]).toEqual([11, 11, whole.fingerprint]);
    // 3 outputs send 3 rows back for every example.
    expect([merged.rows, whole.rows]).toEqual([33, 33]);
    expect(relativeError(merged.logLikelihood, whole.logLikelihood)).toBeLessThan(FLOAT32);
    merged.layers.map(kronecker).forEach(({ input, gradient }, l) => {
      expect(relativeError(input, kronecker(whole.layers[l]).input)).toBeLessThan(FLOAT32);
      expect(relativeError(gradient, kronecker(whole.layers[l]).gradient)).toBeLessThan(FLOAT32);
    });
  }
});
