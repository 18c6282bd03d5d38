/** The free numbers that suit labels best: slopes against differences, optima against brute force and closed forms. */
import fc from 'fast-check';
import { bernoulli, type Criterion, categorical, gaussian, heteroscedastic, type OutputLikelihood, poisson } from 'tfjs-laplace';
import { likelihoodOps } from '../../src/likelihood/index.js';
import type { Head } from '../../src/network/network.js';
import type { Link } from '../../src/predictive/links/index.js';
import { fitted, patternSearch, scaleOfConfidence } from '../../src/tuning/fit.js';
import { FREE, type Free, type FreeName, slopeIn, UNCHANGED } from '../../src/tuning/free.js';
import type { HeldOut, Uncertainty } from '../../src/tuning/held.js';
import { type Outlook, outlooks } from '../../src/tuning/outlook.js';
import { normalSource } from '../support/math/monteCarlo.js';

const N = 30;
const C = 4;

/** N held-out rows with f* ~ N(0, 4), variances around 1, and labels that follow the mean. */
function held(likelihood: OutputLikelihood, seed = 1): { readonly own: HeldOut; readonly variances: Float32Array } {
  const normal = normalSource(seed);
  const outputs = likelihood._tag === 'heteroscedastic' ? 2 * C : C;
  const ops = likelihoodOps(likelihood, outputs);
  const mean = Float32Array.from({ length: N * outputs }, () => (likelihood._tag === 'categorical' ? 2 : 0.7) * normal());
  const variances = Float32Array.from({ length: N * outputs }, () => Math.exp(0.5 * normal()));
  const row = (i: number): ReadonlyArray<number> => Array.from(mean.subarray(i * outputs, i * outputs + C));
  const labels = Array.from({ length: N }, (_, i): Float32Array => {
    const f = row(i).map((v) => v + 1.5 * normal());
    const most = f.indexOf(Math.max(...f));
    if (ops.predicts === 'classes') return Float32Array.from(f, (_, c) => (c === most ? 1 : 0));
    if (ops.predicts === 'labels') return Float32Array.from(f, (v) => (v > 0 ? 1 : 0));
    return Float32Array.from(f, (v) => (ops.predicts === 'counts' ? Math.round(Math.exp(v)) : v));
  });
  const head = { name: 'out', row: { ops, outputs }, outputs } as unknown as Head;
  return { own: { head, mean, truth: { predicts: ops.predicts, labels, counts: labels.map(() => true) } }, variances };
}

const ofCovariance = (values: Float32Array): Uncertainty => ({ _tag: 'covariance', values });

const look = (likelihood: OutputLikelihood, criterion: Criterion, link: Link = 'probit', power = 1): Outlook => {
  const { own, variances } = held(likelihood);
  return outlooks([own], [ofCovariance(variances)], { link, samples: 64, seed: 0, power }, N)(criterion);
};

const total = (own: Outlook, free: Free): number => own.judge(free).losses.reduce((a, b) => a + b, 0);

const AT: ReadonlyArray<Free> = [
  UNCHANGED,
  { scale: 3, temperature: 0.2, noise: 1.7 },
  { scale: 0.3, temperature: 5, noise: 0.4 },
];

describe('slopes are those of central differences', () => {
  it.each<[OutputLikelihood, Criterion]>([
    [categorical(), 'nll'],
    [categorical(), 'brier'],
    [bernoulli(), 'nll'],
    [bernoulli(), 'brier'],
    [gaussian({ noiseVariance: 0.5 }), 'nll'],
    [gaussian({ noiseVariance: [0.5, 1, 2, 3] }), 'crps'],
    [gaussian(), 'brier'],
  ])('%o, %s', (likelihood, criterion) => {
    for (const power of [1, 2]) {
      const own = look(likelihood, criterion, 'probit', power);
      for (const free of AT) {
        const { slopes } = own.judge(free);
        if (slopes === undefined) throw new Error('closed slopes');
        for (const name of FREE) {
          const h = 1e-5;
          const beside = (sign: number): number => total(own, { ...free, [name]: free[name] * Math.exp(sign * h) });
          const difference = (beside(1) - beside(-1)) / (2 * h);
          // Differences have an error of h² and of the rounding 1e-16 / h of a total below 1e3.
          expect(Math.abs(slopeIn(name, slopes, power) - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(difference)));
        }
      }
    }
  });

  it('has none in closed form for other links and likelihoods, though they are smooth', () => {
    for (const own of [look(categorical(), 'nll', 'monteCarlo'), look(heteroscedastic(), 'nll'), look(poisson(), 'nll')]) {
      expect(own.judge(UNCHANGED).slopes).toBeUndefined();
      expect(own.isSmooth).toBe(true);
    }
    expect(look(categorical(), 'ece').isSmooth).toBe(false);
  });
});

describe('the fit', () => {
  const names = (likelihood: OutputLikelihood): ReadonlyArray<FreeName> =>
    likelihood._tag === 'categorical' || likelihood._tag === 'bernoulli' ? ['scale', 'temperature'] : ['temperature'];

  it.each<[OutputLikelihood, Criterion, Link]>([
    [categorical(), 'nll', 'probit'],
    [categorical(), 'brier', 'probit'],
    [categorical(), 'nll', 'multiclassProbit'],
    [bernoulli(), 'nll', 'probit'],
    [bernoulli(), 'nll', 'monteCarlo'],
    [gaussian({ noiseVariance: 0.5 }), 'nll', 'probit'],
    [gaussian({ noiseVariance: 0.5 }), 'crps', 'probit'],
    [heteroscedastic(), 'nll', 'probit'],
    [poisson(), 'nll', 'probit'],
  ])('is not beaten in its neighbourhood: %o, %s, %s', (likelihood, criterion, link) => {
    const own = look(likelihood, criterion, link);
    const centre = own.confidence === undefined ? undefined : 1.3;
    const objective = (free: Free): number =>
      total(own, free) + (centre === undefined ? 0 : 0.5 * Math.log(free.scale / centre) ** 2);
    const found = fitted(own, { names: names(likelihood), start: UNCHANGED, centre }, () => own);
    for (const name of names(likelihood)) {
      for (const factor of [0.1, 0.5, 0.9, 0.98, 1.02, 1.1, 2, 10]) {
        // A slope of 1e-6 for each example may be left: it gains no more over a decade.
        const gain = objective(found) - objective({ ...found, [name]: found[name] * factor });
        expect(gain).toBeLessThan(N * 1e-6 * Math.log(10));
      }
    }
  });

  it('does not depend on the start', () => {
    const own = look(categorical(), 'nll');
    const scales = [0.01, 0.3, 1, 5, 200].map(
      (scale) => fitted(own, { names: ['scale'], start: { ...UNCHANGED, scale }, centre: 1 }, () => own).scale,
    );
    // A slope of 1e-6 for each example is left, and the curvature is that of the prior at least.
    for (const scale of scales) expect(Math.abs(Math.log(scale / (scales[0] as number)))).toBeLessThan(N * 1e-6);
  });

  it('takes few evaluations', () => {
    let calls = 0;
    const own = look(categorical(), 'nll');
    const counted: Outlook = {
      ...own,
      judge: (free) => {
        calls++;
        return own.judge(free);
      },
    };
    fitted(counted, { names: ['scale'], start: { ...UNCHANGED, scale: 0.9 }, centre: 1 }, () => own);
    expect(calls).toBeLessThan(12);
  });

  it('gives a gaussian its maximum-likelihood noise where the posterior is narrow', () => {
    const { own } = held(gaussian({ noiseVariance: 0.5 }));
    const none = new Float32Array(N * C);
    const narrow = outlooks([own], [ofCovariance(none)], { link: 'probit', samples: 64, seed: 0, power: 1 }, N)('nll');
    const { noise } = fitted(narrow, { names: ['noise'], start: UNCHANGED, centre: undefined }, () => narrow);
    const squares = own.truth.labels.flatMap((y, i) => Array.from(y, (v, j) => (v - (own.mean[i * C + j] as number)) ** 2));
    const mean = squares.reduce((a, b) => a + b, 0) / squares.length;
    expect(Math.abs(Math.log((0.5 * noise) / mean))).toBeLessThan(1e-5);
  });

  it('stays where it is for draws that overflow, whose losses are undefined', () => {
    for (const likelihood of [categorical(), poisson()]) {
      const { own } = held(likelihood);
      const draws = [own.mean, own.mean.map(() => Number.POSITIVE_INFINITY)];
      const wild: Uncertainty = { _tag: 'draws', draws, spread: 1, design: 'independent' };
      const lost = outlooks([own], [wild], { link: 'probit', samples: 64, seed: 0, power: 1 }, N)('nll');
      const names = likelihood._tag === 'categorical' ? (['scale'] as const) : (['temperature'] as const);
      const free = fitted(lost, { names, start: UNCHANGED, centre: 1 }, () => lost);
      expect(free).toEqual(UNCHANGED);
      expect(total(lost, free)).toBeNaN();
    }
    expect(scaleOfConfidence(() => Number.NaN, 0.5)).toBeNaN();
  });

  it('stays near the centre where all labels are right', () => {
    const { own, variances } = held(categorical());
    const sure = Float32Array.from(own.truth.labels.flatMap((y) => Array.from(y, (v) => 8 * v)));
    const right = outlooks(
      [{ ...own, mean: sure }],
      [ofCovariance(variances)],
      { link: 'probit', samples: 64, seed: 0, power: 1 },
      N,
    )('nll');
    const { scale } = fitted(right, { names: ['scale'], start: UNCHANGED, centre: 1 }, () => right);
    expect(scale).toBeGreaterThan(1);
    expect(scale).toBeLessThan(2);
  });

  it('searches from the best for the NLL where the criterion is not smooth, and is not worse than there', () => {
    const own = look(categorical(), 'ece');
    const guide = look(categorical(), 'nll');
    const fitting = { names: ['scale'], start: UNCHANGED, centre: undefined } as const;
    const [found, start] = [fitted(own, fitting, () => guide), fitted(guide, fitting, () => guide)];
    expect(total(own, found)).toBeLessThanOrEqual(total(own, start));
  });
});

it('has the expected calibration error as the mean of its gaps', () => {
  for (const likelihood of [categorical(), bernoulli()]) {
    const { own, variances } = held(likelihood);
    const probabilities: ArrayLike<number>[] = [];
    const spy: Criterion = ({ predictions }) => {
      if (predictions._tag === 'classification') probabilities.push(...predictions.probabilities);
      return new Float64Array(N);
    };
    const reading = { link: 'probit', samples: 64, seed: 0, power: 1 } as const;
    outlooks([own], [ofCovariance(variances)], reading, N)(spy).judge(UNCHANGED);
    // Each label by itself is a prediction of one of two classes.
    const pairs = probabilities.flatMap((p, i): ReadonlyArray<readonly [number, number]> => {
      const y = own.truth.labels[i] as ArrayLike<number>;
      if (likelihood._tag === 'bernoulli')
        return Array.from(p, (v, j) => [Math.max(v, 1 - v), v >= 0.5 === (y[j] === 1) ? 1 : 0]);
      const most = Math.max(...Array.from(p));
      return [[most, y[Array.from(p).indexOf(most)] as number]];
    });
    let ece = 0;
    for (let m = 0; m < 15; m++) {
      const inside = pairs.filter(([score]) => score > m / 15 && score <= (m + 1) / 15);
      ece += Math.abs(inside.reduce((sum, [score, hit]) => sum + hit - score, 0)) / pairs.length;
    }
    const { losses } = outlooks([own], [ofCovariance(variances)], reading, N)('ece').judge(UNCHANGED);
    expect(losses.reduce((a, b) => a + b, 0) / N).toBeCloseTo(ece, 12);
  }
});

it("refuses a criterion of one's own that gives no number for a row", () => {
  const wrong = look(categorical(), () => [1, 2]);
  expect(() => wrong.judge(UNCHANGED)).toThrow(/30 numbers/);
  const undefinedLoss = look(gaussian(), () => new Float64Array(N).fill(Number.NaN));
  expect(() => undefinedLoss.judge(UNCHANGED)).toThrow(/none of them NaN/);
});

it('finds the bottom of a bowl that is not smooth', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 3 }), (centre) => {
      const f = (x: Float64Array): number => x.reduce((sum, v, i) => sum + Math.abs(v - (centre[i] as number)), 0);
      const found = patternSearch(f, new Float64Array(centre.length));
      // The last step is 1/256 in each coordinate.
      expect(f(found)).toBeLessThanOrEqual(centre.length / 256 + 1e-12);
    }),
  );
});

it('is where the confidence is the wanted one, or at a bound', () => {
  const confidence = (s: number): number => 1 / (1 + Math.exp(-s));
  for (const start of [0.01, 1, 20]) expect(Math.log(scaleOfConfidence(confidence, confidence(3), start) / 3)).toBeCloseTo(0, 2);
  // From here on float64 does not tell the confidence from 1.
  expect(scaleOfConfidence(confidence, 1)).toBeGreaterThan(30);
  expect(scaleOfConfidence(confidence, 0.4)).toBeCloseTo(1e-6, 9);
});
