/** The scale with the least objective, and the scale of a confidence. */
import fc from 'fast-check';
import { bestScale, scaleOfConfidence } from '../../src/tuning/scale.js';

/** Losses that are convex in s, as the NLL of logits s z is: log(1 + e^{−s m}) for margins m of which some are wrong. */
const margins = fc.array(fc.double({ min: -3, max: 6, noNaN: true }), { minLength: 1, maxLength: 30 });
const totalOf = (own: ReadonlyArray<number>) => (s: number) =>
  own.reduce((sum, m) => sum + (s * m > 30 ? Math.exp(-s * m) : Math.log1p(Math.exp(-s * m))), 0);

it('is not beaten by any scale of a fine grid', () => {
  fc.assert(
    fc.property(
      margins,
      fc.double({ min: 0.05, max: 20, noNaN: true }),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      (own, centre, start) => {
        const total = totalOf(own);
        const objective = (t: number): number => total(Math.exp(t)) + 0.5 * (t - Math.log(centre)) ** 2;
        const found = objective(Math.log(bestScale(total, centre, start)));
        for (let t = Math.log(1e-3); t < Math.log(1e3); t += 0.01) {
          // The search stops within 1e-3 of the bottom, where the curvature of the objective is at most some hundreds.
          expect(found).toBeLessThanOrEqual(objective(t) + 1e-3);
        }
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

it('stays near the centre where all labels are right', () => {
  const scale = bestScale(totalOf(Array.from({ length: 20 }, () => 8)), 1);
  expect(scale).toBeGreaterThan(1);
  expect(scale).toBeLessThan(2);
});

it('does not depend on the start', () => {
  const total = totalOf([1, 2, -1, 3, 0.5]);
  const scales = [0.01, 0.3, 1, 5, 200].map((start) => bestScale(total, 1, start));
  for (const scale of scales) expect(Math.abs(Math.log(scale / (scales[0] as number)))).toBeLessThan(4e-3);
});

it('takes few evaluations', () => {
  let calls = 0;
  const total = totalOf([1, 2, -1, 3, 0.5]);
  bestScale(
    (s) => {
      calls++;
      return total(s);
    },
    1,
    0.9,
  );
  expect(calls).toBeLessThan(20);
});

it('is where the confidence is the wanted one, or the nearest bound', () => {
  const confidence = (s: number): number => 1 / (1 + Math.exp(-s));
  expect(Math.log(scaleOfConfidence(confidence, confidence(3)) / 3)).toBeCloseTo(0, 2);
  // From here on float64 does not tell the confidence from 1.
  expect(scaleOfConfidence(confidence, 1)).toBeGreaterThan(30);
  expect(scaleOfConfidence(confidence, 0.1)).toBeLessThan(0.001);
});
