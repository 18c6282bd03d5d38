import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { type Classification, topK } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';

const classification = (rows: ReadonlyArray<Float32Array>, deviations: ReadonlyArray<Float32Array>): Classification => {
  const zeros = new Float32Array(rows.length);
  return {
    _tag: 'classification',
    probabilities: rows,
    standardDeviations: deviations,
    entropy: zeros,
    expectedEntropy: zeros,
    mutualInformation: zeros,
  };
};

/** Coarse numbers, so that there are equals. */
const unit = fc.integer({ min: 0, max: 8 }).map((v) => v / 8);
const tables = fc.integer({ min: 1, max: 12 }).chain((C) => {
  const rows = fc.array(
    fc.array(unit, { minLength: C, maxLength: C }).map((row) => Float32Array.from(row)),
    { minLength: 1, maxLength: 4 },
  );
  return fc.record({ rows, k: fc.integer({ min: 1, max: C }) });
});

it('is sorted, belongs together, and leaves nothing out that is more probable', () => {
  fc.assert(
    fc.property(tables, ({ rows, k }) => {
      const deviations = rows.map((row) => row.map((p, c) => p + c));
      right(topK(classification(rows, deviations), k)).forEach(({ classes, probabilities, standardDeviations }, b) => {
        const row = rows[b] as Float32Array;
        expect([classes.length, new Set(classes).size]).toEqual([k, k]);
        classes.forEach((c, i) => {
          expect(probabilities[i]).toBe(row[c]);
          expect(standardDeviations[i]).toBe(deviations[b]?.[c]);
          const next = classes[i + 1];
          if (next === undefined) return;
          const [p, q] = [row[c] as number, row[next] as number];
          expect(q < p || (q === p && next > c)).toBe(true);
        });
        const least = probabilities[k - 1] as number;
        row.forEach((p, c) => {
          if (!classes.includes(c)) expect(p < least || (p === least && c > (classes[k - 1] as number))).toBe(true);
        });
      });
    }),
  );
});

it.each([0, -1, 1.5, Number.NaN])('refuses k = %d, whatever the prediction', (k) => {
  const rows = [Float32Array.of(0.2, 0.3, 0.5)];
  const refused = expect.objectContaining({ kind: 'InvalidOption', field: 'k' });
  expect(() => topK(classification(rows, rows), k)).toThrow(refused);
  expect(() => topK(k)).toThrow(refused);
});

it('has no four of three classes', () => {
  const rows = [Float32Array.of(0.2, 0.3, 0.5)];
  expect(topK(classification(rows, rows), 4)).toMatchObject({ left: { kind: 'InvalidInput', field: 'k', found: '4' } });
});

it('is nothing for no examples', () => {
  expect(topK(classification([], []), 3)).toEqual(E.right([]));
});
