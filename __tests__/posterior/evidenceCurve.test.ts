/** The curve is the evidence at its precisions, with the maximum in its middle. */

import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { evidence, evidenceCurve, isotropic, maximiseEvidence, withPrior } from 'tfjs-laplace';
import { check, regressions, withMeans } from '../support/math/gaussian64.js';
import { right } from '../support/math/laplace.js';

it('has the evidence at every precision that is given, in their order', () => {
  check(
    fc.property(regressions, (posterior) => {
      const precisions = [3, 0.01, 200];
      const curve = right(evidenceCurve(posterior, { precisions }));
      expect(curve).toEqual(
        precisions.map((precision) => ({ precision, ...evidence(right(withPrior(posterior, isotropic(precision)))) })),
      );
    }),
  );
});

it('is a logarithmic grid around the maximum, which no point exceeds', () => {
  check(
    fc.property(regressions, (posterior) => {
      const curve = right(evidenceCurve(posterior, { steps: 4, decades: 2 }));
      const { evidence: best, prior } = right(maximiseEvidence(posterior));
      const tau = (prior as { precision: number }).precision;
      expect(curve.map(({ precision }) => Math.log10(precision / tau))).toEqual(
        [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2].map((power) => expect.closeTo(power, 12)),
      );
      expect(curve[4]?.logMarginalLikelihood).toBe(best.logMarginalLikelihood);
      const slack = 1e-9 * (1 + Math.abs(best.logMarginalLikelihood));
      for (const { logMarginalLikelihood } of curve)
        expect(logMarginalLikelihood).toBeLessThanOrEqual(best.logMarginalLikelihood + slack);
      expect(curve[0]?.logMarginalLikelihood).toBeLessThan(best.logMarginalLikelihood);
    }),
  );
});

it('needs a maximum only for the grid around it', () => {
  const [some] = fc.sample(regressions, { seed: 2, numRuns: 1 }) as [never];
  const flat = withMeans(some, ({ mean }) => mean.data.map(() => 0));
  expect(evidenceCurve(flat)).toMatchObject({ left: { kind: 'InvalidInput', field: 'mean' } });
  expect(E.isRight(evidenceCurve(flat, { precisions: [1] }))).toBe(true);
});
