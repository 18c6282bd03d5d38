/** Abstaining: scipy's binomial tail, the promise by simulation, ties, and values as data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { either as E } from 'fp-ts';
import { abstain, abstainForCoverage, abstainForRisk, decodeAbstention } from 'tfjs-laplace';
import { upperBound } from '../../src/abstaining/binomial.js';
import { right } from '../support/math/laplace.js';
import { uniformSource } from '../support/math/monteCarlo.js';

const SCIPY: number[][] = JSON.parse(readFileSync(join(__dirname, 'binomial.json'), 'utf8'));

it.each(SCIPY)("scipy's bound for %i errors of %i at %f", (e = 0, m = 0, delta = 0, b = 0) => {
  // The quantiles of scipy's beta are good to about 1e-9 far out in the tail; logarithms of 1e5 factors lose some digits here.
  expect(upperBound(e, m, delta) / b).toBeCloseTo(1, 8);
});

it('a bound is 1 if everything is wrong', () => {
  expect(upperBound(3, 3, 0.1)).toBe(1);
});

/** Uncertainty u ~ U(0, 1), and a prediction that is wrong with the probability u²/2: the risk of u <= t is t²/6. */
function draw(seed: number, n: number) {
  const uniform = uniformSource(seed);
  const uncertainty = Array.from({ length: n }, uniform);
  return { uncertainty, correct: uncertainty.map((u) => (uniform() < 0.5 * u * u ? 0 : 1)) };
}

it('the risk of what is kept is above the target no more often than promised, and the target is used', () => {
  const [trials, delta, risk] = [200, 0.1, 0.06];
  let [failures, coverage] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    const { uncertainty, correct } = draw(trial, 2000);
    const { rule, coverage: own } = right(abstainForRisk(uncertainty, correct, { risk, confidence: 1 - delta }));
    const t = rule._tag === 'keepUpTo' ? rule.uncertainty : 0;
    if ((t * t) / 6 > risk) failures += 1;
    coverage += own / trials;
  }
  // Five standard errors above δ at the most; the best threshold, √0.36, keeps a share of 0.6.
  expect(failures / trials).toBeLessThan(delta + 5 * Math.sqrt((delta * (1 - delta)) / trials));
  expect(coverage).toBeGreaterThan(0.3);
  expect(coverage).toBeLessThan(0.6);
});

it('a coverage is kept by new predictions', () => {
  let kept = 0;
  const trials = 4000;
  for (let trial = 0; trial < trials; trial++) {
    const { uncertainty } = draw(trial, 10);
    const fitted = right(abstainForCoverage(uncertainty.slice(1), 0.7));
    kept += 1 - (right(abstain(uncertainty.slice(0, 1), fitted))[0] as number);
  }
  // Nine held-out examples: rank 7 of 10 is exactly 0.7.
  expect(Math.abs(kept / trials - 0.7)).toBeLessThan(5 * Math.sqrt(0.21 / trials));
});

it('keeps nothing if no bound is low enough, and everything if the coverage asks for more than there are', () => {
  const none = right(abstainForRisk([1, 2, 3], [1, 1, 1], { risk: 0.01 }));
  expect(none).toEqual({ _tag: 'abstention', rule: { _tag: 'keepNone' }, bound: 1, coverage: 0, examples: 3 });
  expect(right(abstain([0, 9], none))).toEqual(Uint8Array.of(1, 1));
  const all = right(abstainForCoverage([1, 2, 3], 1));
  expect(all.rule).toEqual({ _tag: 'keepAll' });
  expect(right(abstain([0, 9], all))).toEqual(Uint8Array.of(0, 0));
});

it('equal uncertainties are kept together, and counted together', () => {
  const fitted = right(abstainForRisk(new Float64Array(200).fill(1), new Uint8Array(200).fill(1), { risk: 0.1 }));
  expect(fitted).toMatchObject({ rule: { _tag: 'keepUpTo', uncertainty: 1 }, coverage: 1 });
  expect(fitted.bound).toBe(upperBound(0, 200, (1 - 0.95) / 8));
});

it('fitted values are frozen and go through JSON', () => {
  for (const fitted of [right(abstainForCoverage([1, 2], 0.5)), right(abstainForRisk([1], [1], { risk: 0.1 }))]) {
    expect(decodeAbstention(JSON.parse(JSON.stringify(fitted)))).toStrictEqual(E.right(fitted));
    expect([fitted, fitted.rule].every(Object.isFrozen)).toBe(true);
  }
});
