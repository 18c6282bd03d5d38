/** Predictions row by row: as data, and as cells of a table. */
import {
  abstain,
  type Classification,
  calibrate,
  credibleIntervals,
  entropy,
  type Likelihood,
  type OutputPrediction,
  orThrow,
  type Prediction,
  predictedClasses,
  predictionIntervals,
  predictionSets,
  type Regression,
} from 'tfjs-laplace';
import type { Deployed, OutputFit } from './posteriorAt.js';

/** What is predicted for one row of one output. */
export interface Line {
  /** The row of the data, from 0; for sequences the steps of one example follow each other. */
  readonly row: number;
  /** The name of the output, if there are several. */
  readonly output?: string;
  readonly class?: number;
  /** What the class is called, if the labels of the run were names. */
  readonly className?: string;
  readonly probabilities?: ReadonlyArray<number>;
  readonly standardDeviations?: ReadonlyArray<number>;
  /** In nats. */
  readonly entropy?: number;
  readonly mutualInformation?: number;
  /** The classes of the conformal set. */
  readonly set?: ReadonlyArray<number>;
  readonly setNames?: ReadonlyArray<string>;
  /** Whether the prediction is to be handed on. */
  readonly handedOn?: boolean;
  /** Of several independent labels: which are likelier than not, what the conformal set of each holds, and which are to be handed on. */
  readonly labels?: ReadonlyArray<number>;
  readonly labelSets?: ReadonlyArray<ReadonlyArray<number>>;
  readonly labelsHandedOn?: ReadonlyArray<boolean>;
  readonly mean?: ReadonlyArray<number>;
  readonly epistemicVariance?: ReadonlyArray<number>;
  readonly noiseVariance?: ReadonlyArray<number>;
  readonly totalVariance?: ReadonlyArray<number>;
  /** The ends of the conformal interval of each number. */
  readonly lower?: ReadonlyArray<number>;
  readonly upper?: ReadonlyArray<number>;
}

/**
 * The lines of a batch.
 *
 * @param first the number of its first row
 * @param name the name of the model's only output
 */
export function linesOf(
  prediction: Prediction,
  { posterior, outputs: fits, classNames }: Pick<Deployed, 'posterior' | 'outputs' | 'classNames'>,
  first: number,
  name: string,
): ReadonlyArray<Line> {
  const { likelihood } = posterior;
  if (prediction._tag !== 'several') {
    const lines = linesOfOutput(prediction, likelihood, fits.get(name) ?? {}, first);
    return classNames === undefined ? lines : lines.map((line) => withNames(line, classNames));
  }
  return Object.entries(prediction.outputs).flatMap(([output, own]) => {
    const each = likelihood._tag === 'perOutput' ? (likelihood.outputs[output] as Likelihood) : likelihood;
    return linesOfOutput(own, each, fits.get(output) ?? {}, first).map((line) => ({ ...line, output }));
  });
}

/** A line with the names of its classes. */
const withNames = (line: Line, names: ReadonlyArray<string>): Line => ({
  ...line,
  ...(line.class !== undefined && { className: names[line.class] ?? String(line.class) }),
  ...(line.set && { setNames: line.set.map((k) => names[k] ?? String(k)) }),
});

const linesOfOutput = (
  prediction: OutputPrediction,
  likelihood: Likelihood,
  fit: OutputFit,
  first: number,
): ReadonlyArray<Line> => {
  if (prediction._tag === 'regression') return numberLines(prediction, fit, first);
  const { _tag } = likelihood._tag === 'perStep' ? likelihood.each : likelihood;
  const areSeveral = _tag === 'bernoulli' && (prediction.probabilities[0]?.length ?? 0) > 1;
  return areSeveral ? labelLines(prediction, fit, first) : classLines(prediction, fit, first);
};

/** Independent labels, each of which is calibrated, covered and kept by itself. */
function labelLines(
  prediction: Classification,
  { calibrator, conformal, abstention }: OutputFit,
  first: number,
): ReadonlyArray<Line> {
  return prediction.probabilities.map((own, i) => {
    const given = Array.from(own, (p) => [p]);
    const rows = calibrator === undefined ? given : orThrow(calibrate(given, calibrator)).map((row) => [row[1] as number]);
    const sets = conformal?._tag === 'conformalSets' ? orThrow(predictionSets(rows, conformal)) : undefined;
    const entropies = orThrow(entropy(rows));
    const handedOn = abstention && orThrow(abstain(entropies, abstention));
    return {
      row: first + i,
      labels: Array.from(predictedClasses(rows)),
      probabilities: rows.map(([p]) => p as number),
      standardDeviations: Array.from(prediction.standardDeviations[i] as Float32Array),
      entropy: entropies.reduce((a, b) => a + b, 0),
      mutualInformation: prediction.mutualInformation[i] as number,
      ...(sets && { labelSets: sets.map((set) => Array.from(set)) }),
      ...(handedOn && { labelsHandedOn: Array.from(handedOn, (own) => own === 1) }),
    };
  });
}

function classLines(
  prediction: Classification,
  { calibrator, conformal, abstention }: OutputFit,
  first: number,
): ReadonlyArray<Line> {
  const rows = calibrator === undefined ? prediction.probabilities : orThrow(calibrate(prediction, calibrator));
  const sets = conformal?._tag === 'conformalSets' ? orThrow(predictionSets(rows, conformal)) : undefined;
  const entropies = calibrator === undefined ? prediction.entropy : orThrow(entropy(rows));
  const handedOn = abstention && orThrow(abstain(orThrow(entropy(rows)), abstention));
  const classes = predictedClasses(rows);
  return rows.map((row, i) => ({
    row: first + i,
    class: classes[i] as number,
    probabilities: Array.from(row),
    // Of the probabilities before the calibration, which has no errors of its own.
    standardDeviations: Array.from(prediction.standardDeviations[i] as Float32Array),
    entropy: entropies[i] as number,
    mutualInformation: prediction.mutualInformation[i] as number,
    ...(sets && { set: Array.from(sets[i] as ArrayLike<number>) }),
    ...(handedOn && { handedOn: handedOn[i] === 1 }),
  }));
}

function numberLines(prediction: Regression, { conformal }: OutputFit, first: number): ReadonlyArray<Line> {
  const own = conformal?._tag === 'conformalIntervals' ? conformal : undefined;
  const read = own?.score._tag === 'cqr' ? credibleIntervals(prediction, { level: own.level }) : prediction;
  const ends = own && orThrow(predictionIntervals(read, own));
  const at = (rows: Regression['mean'] | ReadonlyArray<Float64Array>, i: number) => Array.from(rows[i] as ArrayLike<number>);
  return prediction.mean.map((_, i) => ({
    row: first + i,
    mean: at(prediction.mean, i),
    epistemicVariance: at(prediction.epistemicVariance, i),
    noiseVariance: at(prediction.noiseVariance, i),
    totalVariance: at(prediction.totalVariance, i),
    ...(ends && { lower: at(ends.lower, i), upper: at(ends.upper, i) }),
  }));
}

/** The cells of a line by their titles. Variances are shown as standard deviations, and of probabilities the highest. */
export function cellsOf(line: Line): ReadonlyMap<string, string> {
  const cells = new Map<string, string>([['row', String(line.row)]]);
  const put = (title: string, cell: string | undefined): void => {
    if (cell !== undefined) cells.set(title, cell);
  };
  put('output', line.output);
  put('class', line.className ?? line.class?.toString());
  put('labels', line.labels?.join(', '));
  put(
    'probability',
    line.labels === undefined
      ? line.probabilities && Math.max(...line.probabilities).toFixed(4)
      : line.probabilities?.map((p) => p.toFixed(4)).join(', '),
  );
  put('entropy', line.entropy?.toFixed(4));
  put('mutual information', line.mutualInformation?.toFixed(4));
  put('set', line.set && `{${(line.setNames ?? line.set).join(', ')}}`);
  put('sets', line.labelSets?.map((set) => `{${set.join(', ')}}`).join(', '));
  put('handed on', (line.labelsHandedOn ?? (line.handedOn === undefined ? undefined : [line.handedOn]))?.map(yesNo).join(', '));
  put('mean', numbers(line.mean));
  put('epistemic σ', numbers(line.epistemicVariance?.map(Math.sqrt)));
  put('total σ', numbers(line.totalVariance?.map(Math.sqrt)));
  put('lower', numbers(line.lower));
  put('upper', numbers(line.upper));
  return cells;
}

const numbers = (values: ReadonlyArray<number> | undefined): string | undefined =>
  values?.map((value) => String(Number(value.toPrecision(5)))).join(', ');

const yesNo = (is: boolean): string => (is ? 'yes' : 'no');
