/** Values of scikit-learn, torchmetrics, uncertainty-calibration, uncertainty-toolbox, scoringrules and relplot (`reference/generate.py`). */
import * as lib from 'tfjs-laplace';
import { smoothErrorAt, smoothSums } from '../../src/metrics/smoothing.js';
import { right } from '../support/math/laplace.js';
import reference from './reference/values.json' with { type: 'json' };

/** Both sides compute in float64, over at most 100 examples. */
const DIGITS = 12;
/** torchmetrics sums over bins in float32. */
const FLOAT32_DIGITS = 6;

const near = (values: ArrayLike<number>, digits = DIGITS) => Array.from(values, (value) => expect.closeTo(value, digits));
const column = (values: ReadonlyArray<number>) => values.map((value) => [value]);

describe('classes', () => {
  const { probabilities, labels, bins, ...values } = reference.classes;

  it('accuracy, nll and Brier score are those of scikit-learn', () => {
    expect(right(lib.accuracy(probabilities, labels))).toBeCloseTo(values.accuracy, DIGITS);
    expect(right(lib.nll(probabilities, labels))).toBeCloseTo(values.nll, DIGITS);
    expect(right(lib.brierScore(probabilities, labels))).toBeCloseTo(values.brierScore, DIGITS);
  });

  it('ECE, MCE and the L2 error with bins of equal width are those of torchmetrics', () => {
    const { ece, mce, squared } = right(lib.calibration(probabilities, labels, { bins }));
    expect(ece).toBeCloseTo(values.ece, FLOAT32_DIGITS);
    expect(mce).toBeCloseTo(values.mce, FLOAT32_DIGITS);
    expect(Math.sqrt(squared)).toBeCloseTo(values.rootSquared, FLOAT32_DIGITS);
  });

  it('the error of every class is that of torchmetrics for two classes', () => {
    const { ece, classes } = right(lib.classwiseCalibration(probabilities, labels, { bins }));
    expect(classes.map((one) => one.ece)).toEqual(near(values.eachClass, FLOAT32_DIGITS));
    expect(ece).toBeCloseTo(values.eachClass.reduce((sum, one) => sum + one, 0) / 4, FLOAT32_DIGITS);
  });

  it('ECE with bins of equal mass and the debiased error are those of uncertainty-calibration', () => {
    const { ece, debiasedSquared } = right(lib.calibration(probabilities, labels, { bins, binning: 'mass' }));
    expect(ece).toBeCloseTo(values.massEce, DIGITS);
    expect(Math.sqrt(debiasedSquared)).toBeCloseTo(values.debiasedRoot, DIGITS);
  });
});

describe('groups', () => {
  const { positives, negatives, ...values } = reference.groups;
  const groups = { positives, negatives };

  it('areas are those of scikit-learn', () => {
    expect(right(lib.auroc(groups))).toBeCloseTo(values.auroc, DIGITS);
    expect(right(lib.aupr(groups))).toBeCloseTo(values.aupr, DIGITS);
  });

  it('curves are those of scikit-learn', () => {
    const roc = right(lib.rocCurve(groups));
    expect(Array.from(roc.threshold)).toEqual([Number.POSITIVE_INFINITY, ...values.thresholds]);
    expect(Array.from(roc.falsePositiveRate)).toEqual(near(values.fpr));
    expect(Array.from(roc.truePositiveRate)).toEqual(near(values.tpr));
    const { precision, recall } = right(lib.precisionRecall(groups));
    expect(Array.from(precision)).toEqual(near(values.precision));
    expect(Array.from(recall)).toEqual(near(values.recall));
  });

  it('the false positive rate is at the first point of the curve of scikit-learn with that true positive rate', () => {
    expect(right(lib.fprAtTpr(groups))).toBeCloseTo(values.fprAt95, DIGITS);
    expect(right(lib.fprAtTpr(groups, { rate: 0.8 }))).toBeCloseTo(values.fprAt80, DIGITS);
  });
});

it('the generalised area is the closed form of Traub et al., with the AUROC of scikit-learn', () => {
  const { uncertainty, wrong, generalisedArea } = reference.selective;
  expect(right(lib.riskCoverage(uncertainty, wrong)).generalisedArea).toBeCloseTo(generalisedArea, DIGITS);
});

describe('regression', () => {
  const { targets: y, mean, variance, samples, quantiles, ...values } = reference.regression;
  const targets = column(y);
  const predictions = { targets, mean: column(mean), variance: column(variance) };

  it('errors and pinball loss are those of scikit-learn, the likelihood and the transform those of SciPy', () => {
    expect(right(lib.mae(targets, predictions.mean))).toBeCloseTo(values.mae, DIGITS);
    expect(right(lib.rmse(targets, predictions.mean))).toBeCloseTo(values.rmse, DIGITS);
    expect(right(lib.pinballLoss(targets, column(quantiles), 0.75))).toBeCloseTo(values.pinball75, DIGITS);
    expect(right(lib.gaussianNll(predictions))).toBeCloseTo(values.gaussianNll, DIGITS);
    expect(right(lib.pitValues(predictions)).map(([p]) => p)).toEqual(near(values.pit));
  });

  it('ranked probability scores are those of scoringrules', () => {
    const sampled = { targets, samples: samples.map(column) };
    expect(right(lib.gaussianCrps(predictions))).toBeCloseTo(values.gaussianCrps, DIGITS);
    expect(right(lib.sampleCrps(sampled))).toBeCloseTo(values.fairCrps, DIGITS);
    expect(right(lib.sampleCrps(sampled, { fair: false }))).toBeCloseTo(values.sampleCrps, DIGITS);
  });

  it('calibration of intervals and sharpness are those of uncertainty-toolbox', () => {
    const { meanAbsolute, rootMeanSquared } = right(lib.intervalCalibration(predictions));
    expect(meanAbsolute).toBeCloseTo(values.meanAbsolute, DIGITS);
    expect(rootMeanSquared).toBeCloseTo(values.rootMeanSquared, DIGITS);
    expect(right(lib.sharpness(predictions))).toBeCloseTo(values.sharpness, DIGITS);
  });

  it('calibration of quantiles is that of uncertainty-toolbox', () => {
    const { meanAbsolute, rootMeanSquared } = right(lib.quantileCalibration(right(lib.pitValues(predictions))));
    expect(meanAbsolute).toBeCloseTo(values.quantileMeanAbsolute, DIGITS);
    expect(rootMeanSquared).toBeCloseTo(values.quantileRootMeanSquared, DIGITS);
  });
});

describe('smooth calibration', () => {
  const { probabilities, labels, curve, ...values } = reference.smooth;
  const rows = column(probabilities);
  const error = smoothErrorAt(smoothSums(probabilities, labels), values.errorAt);
  const found = right(lib.smoothCalibration(rows, labels, { class: 1, points: curve.confidence.length }));

  it('error at a bandwidth, and where both are equal, are those of the definition', () => {
    // A change of sign is taken as linear between two points that are at most σ/32 apart: 1e-6 here.
    expect(error).toBeCloseTo(values.error, 5);
    expect(found.ece).toBeCloseTo(values.ece, 5);
    expect(found.bandwidth).toBeCloseTo(values.ece, 5);
  });

  it('they are near those of relplot, which knows the bandwidth to 1/1024, and the error on a mesh', () => {
    expect(Math.abs(error - values.relplotError)).toBeLessThan(1e-5);
    expect(Math.abs(found.bandwidth - values.relplotBandwidth)).toBeLessThan(1 / 1024);
    expect(Math.abs(found.ece - values.relplot)).toBeLessThan(1 / 1024);
  });

  it('the curve is that of relplot, cut off at 0 and 1', () => {
    expect(found.curve.map(({ confidence }) => confidence)).toEqual(near(curve.confidence));
    found.curve.forEach(({ accuracy }, j) => {
      expect(Math.abs(accuracy - Math.min(1, curve.accuracy[j] as number))).toBeLessThan(2e-5);
    });
  });
});
