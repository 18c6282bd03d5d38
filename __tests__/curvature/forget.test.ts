/** Factors that count for less, and parts of data that are known by name. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  decodeFactors,
  diagonal,
  ekfac,
  encodeFactors,
  type Factors,
  forget,
  full,
  gaussian,
  kfac,
  merge,
  mergeEpochs,
  observe,
} from 'tfjs-laplace';
import { expectSameFactors, pass } from '../support/factors.js';
import { dataFor, kindOf, right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

let model: tf.LayersModel;
beforeAll(() => {
  model = chain([4, 2]);
});

const N = 6;
const data = (seed: number) => ({ x: inputsFor(model, N, seed)[0] as tf.Tensor, y: dataFor(model, gaussian(), N, seed).y });
const named = (seed: number, part: string): Promise<Factors> =>
  lastValueFrom(from(batches(data(seed), 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { part })));

describe('forget', () => {
  it.each([
    ['kfac', kfac()],
    ['kfac with shares', kfac({ noise: 'perOutput' })],
    ['ekfac', ekfac()],
    ['diagonal', diagonal()],
    ['full', full()],
  ])('%s: is what examples of that weight give', async (_, curvature) => {
    const own = data(3);
    const found = right(forget(await pass(model, gaussian(), own, curvature), 0.25));
    const expected = await pass(model, gaussian(), { ...own, weights: tf.fill([N], 0.25) }, curvature);
    expectSameFactors(
      { ...found, layout: { ...found.layout, basis: undefined } },
      { ...expected, layout: { ...expected.layout, basis: undefined } },
      FLOAT32,
    );
    expect(found.datasetSize).toBe(0.25 * N);
    found.shares?.forEach(({ squares }, c) => {
      expect(relativeError(squares, expected.shares?.[c]?.squares as number)).toBeLessThan(FLOAT32);
    });
  });

  it('goes with merging, and step by step', async () => {
    const [a, b] = [await named(1, 'a'), await named(2, 'b')];
    const after = right(forget(right(merge(a, b)), 0.5));
    const before = right(merge(right(forget(a, 0.5)), right(forget(0.5)(b))));
    expect(after).toEqual(before);
    expect(right(forget(right(forget(a, 0.5)), 0.25))).toEqual(right(forget(a, 0.125)));
    expect(right(forget(a, 1))).toEqual(a);
  });

  it('refuses weights that are none', async () => {
    const factors = await named(1, 'a');
    for (const weight of [0, -1, 1.5, Number.NaN, '1']) expect(() => forget(factors, weight as number)).toThrow(/weight/);
    expect(kindOf(forget({} as never, 0.5))).toBe('InvalidInput');
  });
});

describe('parts', () => {
  it('are known by name after merging, and after a file', async () => {
    const sum = right(merge(await named(1, 'monday'), await named(2, 'tuesday')));
    expect(sum.parts?.map(({ dataset }) => dataset)).toEqual(['monday', 'tuesday']);
    expect(right(decodeFactors(right(encodeFactors(sum))))).toStrictEqual(sum);
  });

  it('are not added twice, also not from a file', async () => {
    const [monday, tuesday] = [await named(1, 'monday'), await named(2, 'tuesday')];
    const again = right(decodeFactors(right(encodeFactors(monday))));
    expect(merge(right(merge(monday, tuesday)), again)).toMatchObject({
      left: { kind: 'Mismatch', field: 'parts', message: expect.stringContaining('"monday"') },
    });
    // Epochs over the same part are another thing.
    expect(right(mergeEpochs(monday, again)).parts).toEqual(monday.parts);
    expect(E.isRight(merge(monday, await pass(model, gaussian(), data(5))))).toBe(true);
  });

  it('have no name unless they are given one', async () => {
    expect((await pass(model, gaussian(), data(1))).parts).toBeUndefined();
    expect(() => accumulateFactors(kfac(), { part: '' })).toThrow(/part/);
  });
});
