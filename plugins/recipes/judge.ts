/** What a recipe reports about one output: what is fitted on held-out examples, and how it does on test examples. Pure. */
import {
  type Abstention,
  abstain,
  abstainForRisk,
  boundsCoverage,
  type Calibrator,
  type ConformalIntervals,
  type ConformalSets,
  calibrate,
  conformalIntervals,
  conformalSets,
  correctness,
  credibleIntervals,
  type Evaluation,
  entropy,
  evaluate,
  fitCalibrator,
  meanSetSize,
  orThrow,
  predictionIntervals,
  predictionSets,
  type Recipe,
  type Regression,
  type ReportChoices,
  setCoverage,
} from 'tfjs-laplace';
import type { Judged, JudgedClasses, JudgedNumbers } from './judged.js';

/** What is fitted for one output. */
export interface Fitted {
  /** Maps the predicted probabilities: `calibrate(prediction, calibrator)`. */
  readonly calibrator?: Calibrator;
  /** For `predictionSets` of calibrated predictions, or for `predictionIntervals`. */
  readonly conformal?: ConformalSets | ConformalIntervals;
  /** For `abstain`, with the entropy of calibrated predictions as uncertainty. */
  readonly abstention?: Abstention;
}

/** How one output does on the test examples. */
export interface Tested {
  /** The metrics of calibrated predictions, beside those of the trained network itself. */
  readonly evaluation?: Evaluation;
  /** The share of sets or intervals that hold the label, and their mean size: a number of classes, or a width in units of the labels. */
  readonly covered?: { readonly coverage: number; readonly size: number };
  /** The share of predictions that are kept, and the share of wrong ones among them, if there are any. */
  readonly kept?: { readonly coverage: number; readonly risk?: number };
}

/** The calibrator that a recipe asks for; undefined if it asks for none, or for numbers. Throws the errors of `fitCalibrator`. */
export const calibratorFor = ({ calibration }: Recipe, judged: Judged): Calibrator | undefined =>
  calibration === 'none' || judged._tag === 'numbers'
    ? undefined
    : orThrow(fitCalibrator(judged.probabilities, judged.labels, calibration));

/** The same predictions, calibrated. */
export const calibrated = <J extends Judged>(judged: J, calibrator: Calibrator | undefined): J =>
  calibrator === undefined || judged._tag === 'numbers'
    ? judged
    : { ...judged, probabilities: orThrow(calibrate((judged as JudgedClasses).probabilities, calibrator)) };

/** The thresholds that a report asks for. Throws the errors of `conformalSets`, `conformalIntervals` and `abstainForRisk`. */
export const thresholdsFor = (report: ReportChoices, judged: Judged): Omit<Fitted, 'calibrator'> =>
  judged._tag === 'classes' ? classThresholds(report, judged) : numberThresholds(report, judged);

function classThresholds({ conformal, abstention }: ReportChoices, { probabilities, labels }: JudgedClasses) {
  const { score = 'lac', level, by } = conformal ?? {};
  // A recipe for several outputs may name a score of numbers, which the outputs with classes have no use for.
  const own = typeof score === 'string' || !isOfNumbers(score) ? score : 'lac';
  return {
    ...(conformal !== undefined && {
      conformal: orThrow(conformalSets(probabilities, labels, { score: own as 'lac', level: level as number, by: by as 'all' })),
    }),
    ...(abstention !== undefined && {
      abstention: orThrow(
        abstainForRisk(orThrow(entropy(probabilities)), orThrow(correctness(probabilities, labels)), abstention),
      ),
    }),
  };
}

function numberThresholds({ conformal }: ReportChoices, { prediction, labels }: JudgedNumbers) {
  if (conformal === undefined) return {};
  const { score, level } = conformal;
  const own = score !== undefined && isOfNumbers(score) ? score : ({ _tag: 'normalised' } as const);
  return { conformal: orThrow(conformalIntervals(bandOf(own._tag, prediction, level), labels, { score: own, level })) };
}

type Score = NonNullable<NonNullable<ReportChoices['conformal']>['score']>;
type NumberScore = Extract<Score, { readonly _tag: 'normalised' | 'absolute' | 'cqr' }>;

const isOfNumbers = (score: Score): score is NumberScore => ['normalised', 'absolute', 'cqr'].includes(score._tag);

/** What a score of numbers reads. */
const bandOf = (tag: NumberScore['_tag'], prediction: Regression, level: number) =>
  tag === 'cqr' ? credibleIntervals(prediction, { level }) : prediction;

/**
 * How an output does on test examples. Throws the errors of `evaluate`.
 *
 * @param own the calibrated predictions
 * @param network the predictions of the trained network itself
 */
export function tested({ bins, resamples, seed }: ReportChoices, own: Judged, network: Judged, fitted: Fitted): Tested {
  const evaluation = orThrow(
    evaluate(evaluatedOf(own), own.labels as ReadonlyArray<number>, { baseline: evaluatedOf(network), bins, resamples, seed }),
  );
  return { evaluation, ...coveredBy(own, fitted.conformal), ...keptBy(own, fitted.abstention) };
}

const evaluatedOf = (own: Judged) =>
  own._tag === 'classes' ? ({ _tag: 'classification', probabilities: own.probabilities } as const) : own.prediction;

function coveredBy(own: Judged, conformal: Fitted['conformal']): Pick<Tested, 'covered'> {
  if (conformal?._tag === 'conformalSets' && own._tag === 'classes') {
    const sets = orThrow(predictionSets(own.probabilities, conformal));
    return { covered: { coverage: orThrow(setCoverage(sets, own.labels)), size: orThrow(meanSetSize(sets)) } };
  }
  if (conformal?._tag === 'conformalIntervals' && own._tag === 'numbers') {
    const intervals = orThrow(predictionIntervals(bandOf(conformal.score._tag, own.prediction, conformal.level), conformal));
    const { lower, upper } = intervals;
    const widths = upper.flatMap((row, i) => Array.from(row, (end, t) => end - (lower[i]?.[t] as number)));
    return { covered: { coverage: orThrow(boundsCoverage(intervals, own.labels)), size: mean(widths) } };
  }
  return {};
}

function keptBy(own: Judged, abstention: Abstention | undefined): Pick<Tested, 'kept'> {
  if (abstention === undefined || own._tag === 'numbers') return {};
  const right = orThrow(correctness(own.probabilities, own.labels));
  const handedOn = orThrow(abstain(orThrow(entropy(own.probabilities)), abstention));
  const kept = Array.from(right).filter((_, i) => handedOn[i] === 0);
  return { kept: { coverage: kept.length / right.length, ...(kept.length > 0 && { risk: 1 - mean(kept) }) } };
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length;
