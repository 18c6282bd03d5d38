/** A regression over one input: its mean, with bands of its uncertainty and of the epistemic part. */
import { credibleIntervals, type Regression } from 'tfjs-laplace';
import { array, defaulted, isRecord, laplaceError, literals, optional, optionsOf, refined, struct } from 'tfjs-laplace/extend';
import { type Curve, CurveCodec, type CurvesData, curvesSpec } from './curves.js';
import { HEADING, numbers, points, range, words } from './data.js';
import { drawn } from './svg.js';
import { COLOURS } from './theme.js';

export interface PredictionBandsData {
  readonly title: string;
  readonly subtitle?: string;
  /** Titles of the axes, with units. */
  readonly xAxis: string;
  readonly yAxis: string;
  readonly xScale?: 'linear' | 'log';
  readonly yRange?: readonly [number, number];
  /** The inputs, ascending. [B] */
  readonly x: ArrayLike<number>;
  /** The prediction for these inputs. */
  readonly prediction: Regression;
  /** Which output is drawn, from 0. Default 0. */
  readonly output?: number;
  /** Probabilities of the bands, in (0, 1). Default [0.95]. */
  readonly levels?: ReadonlyArray<number>;
  /** Further intervals as dashed lines, such as conformal ones: ends [B][T], finite. */
  readonly intervals?: ReadonlyArray<{
    readonly name: string;
    readonly lower: ReadonlyArray<ArrayLike<number>>;
    readonly upper: ReadonlyArray<ArrayLike<number>>;
  }>;
  /** Further curves, such as the true function. */
  readonly curves?: ReadonlyArray<Curve>;
  /** Observations, drawn as black dots. */
  readonly dots?: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

const isRows = (value: unknown): value is ReadonlyArray<ArrayLike<number>> => Array.isArray(value) && value.every(numbers.is);
const Rows = refined('rows of finite numbers [B][T]', isRows);
const Prediction = refined(
  'the prediction of a regression, with finite mean, epistemicVariance and totalVariance',
  (value): value is Regression =>
    isRecord(value) &&
    value._tag === 'regression' &&
    ['mean', 'epistemicVariance', 'totalVariance'].every((key) => isRows(value[key])),
);
const count = refined('an integer >= 0', (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0);
const level = refined('a number in (0, 1)', (value): value is number => typeof value === 'number' && value > 0 && value < 1);

const Data = struct('data', {
  ...HEADING,
  xAxis: words,
  yAxis: words,
  xScale: optional(literals('linear', 'log')),
  yRange: optional(range),
  x: numbers,
  prediction: Prediction,
  output: defaulted(count, 0),
  levels: defaulted(array('a list of numbers in (0, 1)', level), [0.95]),
  intervals: optional(array('a list of intervals', struct('intervals', { name: words, lower: Rows, upper: Rows }))),
  curves: optional(array('a list of curves', CurveCodec)),
  dots: optional(points),
});

/** Colours of further curves and then of intervals, in this order. */
const OTHERS = [1, 2, 3, 5].map((i) => COLOURS[i] as string);

/**
 * Draws a regression over one input: the mean, with bands that hold the next label (total) and the mean function (epistemic part) with the
 * given probabilities, as `credibleIntervals` has them. A band inside another one of its colour has the smaller probability.
 *
 * @param data titles, the inputs, and the prediction for them
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong, and for lists that differ in length from `x`.
 *
 * @example
 * ```ts no-run
 * import { predictionBands } from 'tfjs-laplace/plugins/plots';
 *
 * const rows = (...values: number[]) => values.map((v) => Float32Array.of(v));
 * const prediction = {
 *   _tag: 'regression',
 *   support: 'real',
 *   mean: rows(0, 1),
 *   epistemicVariance: rows(1, 3),
 *   noiseVariance: rows(1, 1),
 *   totalVariance: rows(2, 4),
 * } as const;
 * const svg = await predictionBands({ title: 'A line', xAxis: 'time (s)', yAxis: 'way (m)', x: [0, 1], prediction, levels: [0.5, 0.95] });
 * svg.includes('total, 50 % and 95 %'); // => true
 * ```
 */
export const predictionBands = (data: PredictionBandsData): Promise<string> => drawn((own) => curvesSpec(curvesOf(own)), data);

/** The bands as curves: wide ones first, so that narrow ones lie upon them. */
export function curvesOf(given: PredictionBandsData): CurvesData {
  const { x, prediction, output, levels, intervals = [], curves = [], ...rest } = optionsOf('predictionBands', Data, given);
  const column = (name: string, rows: ReadonlyArray<ArrayLike<number>>): ReadonlyArray<number> => {
    const bad = rows.length === x.length ? rows.findIndex((row) => row.length <= output) : 0;
    if (rows.length !== x.length) throw misfit(name, `${rows.length} rows`, `${x.length}, one for each x`);
    if (bad >= 0)
      throw misfit(`${name}[${bad}]`, `${rows[bad]?.length} outputs`, `more than ${output}, the output that is drawn`);
    return rows.map((row) => row[output] as number);
  };
  const mean = column('prediction.mean', prediction.mean);
  column('prediction.epistemicVariance', prediction.epistemicVariance);
  column('prediction.totalVariance', prediction.totalVariance);
  const lineOf = (ys: ReadonlyArray<number>) => ys.map((y, i) => ({ x: x[i] as number, y }));
  const ascending = [...levels].sort((a, b) => a - b);
  const all = ascending.map((p) => `${Number((100 * p).toPrecision(4))} %`).join(' and ');
  const bands = (name: string, of: 'label' | 'mean', colour: string): ReadonlyArray<Curve> =>
    [...ascending].reverse().map((p) => {
      const { lower, upper } = credibleIntervals(prediction, { level: p, of });
      const points = lineOf(mean).map((point, i) => ({
        ...point,
        low: lower[i]?.[output] as number,
        high: upper[i]?.[output] as number,
      }));
      return { name: `${name}, ${all}`, colour, line: 'none', points };
    });
  const [total, epistemic] = [
    bands('total', 'label', COLOURS[4] as string),
    bands('mean and its epistemic part', 'mean', COLOURS[0] as string),
  ];
  const ends = intervals.flatMap(({ name, lower, upper }, i) =>
    [column(`intervals[${i}].lower`, lower), column(`intervals[${i}].upper`, upper)].map((ys) => ({
      name,
      colour: OTHERS[(curves.length + i) % OTHERS.length] as string,
      line: 'dashed' as const,
      points: lineOf(ys),
    })),
  );
  const others = curves.map((curve, i) => ({ colour: OTHERS[i % OTHERS.length] as string, ...curve }));
  const middle = epistemic.map((band, i) => (i === epistemic.length - 1 ? { ...band, line: 'solid' as const } : band));
  return { ...rest, curves: [...total, ...middle, ...ends, ...others] };
}

const misfit = (field: string, found: string, expected: string) =>
  laplaceError('InvalidOption', { what: `predictionBands: ${field}`, field, found, expected });
