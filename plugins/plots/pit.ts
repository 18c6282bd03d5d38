/**
 * Histograms of the probability integral transform (Dawid 1984; Gneiting, Balabdaoui & Raftery 2007): the predicted probability of a value
 * at most as large as the target. It is uniform for calibrated predictions. A bin of probability p then has a count that is Binomial(N, p).
 */
import { array, defaulted, optionsOf, positiveInteger, refined, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, numbers, words } from './data.js';
import { drawn } from './svg.js';
import { COLOURS, heading, INK, SOFT, WIDTH } from './theme.js';

export interface PitData {
  readonly title: string;
  readonly subtitle?: string;
  /** Number of bins. Default 20. */
  readonly bins?: number;
  /** A panel for each series: the rows [N][C] that `pitValues` gives. */
  readonly series: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<ArrayLike<number>> }>;
}

/** Probability that the count of a bin lies in the band, if the predictions are calibrated. */
const LEVEL = 0.95;

const Rows = refined(
  'rows of numbers in [0, 1] as pitValues gives them, not empty',
  (value): value is ReadonlyArray<ArrayLike<number>> =>
    Array.isArray(value) &&
    value.some((row) => numbers.is(row) && row.length > 0) &&
    value.every((row) => numbers.is(row) && Array.from(row).every((v) => v >= 0 && v <= 1)),
);
const Data = struct('data', {
  ...HEADING,
  bins: defaulted(positiveInteger, 20),
  series: array('a list of series', struct('a series', { name: words, values: Rows })),
});

/**
 * Draws a histogram of the probability integral transform for each series, one panel under the other. The dashed line is the uniform density,
 * and the band around it holds the bin of a calibrated model with a probability of at least 95 %. The entries are counted as independent,
 * which several outputs of one example are not. A hill shows predictions that are too wide, a bowl ones that are too narrow, a slope a bias.
 *
 * @param data titles, and for each series what `pitValues` returns
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { orThrow, pitValues } from 'tfjs-laplace';
 * import { pitHistograms } from 'tfjs-laplace/plugins/plots';
 *
 * const values = orThrow(pitValues({ targets: [[1], [3]], mean: [[0], [3]], variance: [[1], [2]] }));
 * const svg = await pitHistograms({ title: 'Calibration of numbers', series: [{ name: 'linearised Laplace', values }] });
 * svg.includes('probability integral transform'); // => true
 * ```
 */
export const pitHistograms = (data: PitData): Promise<string> => drawn(pitSpec, data);

/**
 * The bars of a panel.
 *
 * @param values rows of numbers in [0, 1]
 * @param bins number of bins of one width
 * @returns for each bin its ends, its density (1 if uniform), and whether its count lies in the band; the band as densities
 */
export function pitRows(values: ReadonlyArray<ArrayLike<number>>, bins: number) {
  const counts = new Array<number>(bins).fill(0);
  for (const row of values) {
    for (const v of Array.from(row)) {
      const bin = Math.min(bins - 1, Math.floor(v * bins));
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  const N = counts.reduce((sum, count) => sum + count, 0);
  const [low, high] = binomialRange(N, 1 / bins, LEVEL);
  return {
    N,
    band: { low: (low * bins) / N, high: (high * bins) / N },
    rows: counts.map((count, i) => ({
      left: i / bins,
      right: (i + 1) / bins,
      density: (count * bins) / N,
      isWithin: count >= low && count <= high,
    })),
  };
}

/**
 * The quantiles (1 − level)/2 and (1 + level)/2 of Binomial(n, p), 0 < p <= 1: both ends and what is between them have a probability of at
 * least `level`. O(n). Probabilities are summed from their ratios, in logarithms, so that those of a large n do not underflow.
 */
export function binomialRange(n: number, p: number, level: number): readonly [low: number, high: number] {
  if (p === 1) return [n, n];
  const odds = Math.log(p / (1 - p));
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  let low: number | undefined;
  for (let k = 0; ; k++) {
    if (low === undefined && sum >= (1 - level) / 2) low = k;
    if (sum >= (1 + level) / 2 || k === n) return [low ?? k, k];
    log += Math.log((n - k) / (k + 1)) + odds;
    sum += Math.exp(log);
  }
}

export function pitSpec(given: PitData): TopLevelSpec {
  const data = optionsOf('pitHistograms', Data, given);
  const { bins, series } = data;
  checkNames('pitHistograms', series);
  const panels = series.map(({ name, values }) => ({ name, ...pitRows(values, bins) }));
  // One scale for all panels, so that they compare.
  const most = Math.max(...panels.flatMap(({ rows, band }) => [band.high, ...rows.map(({ density }) => density)]));
  const x = { type: 'quantitative' as const, scale: { domain: [0, 1] } };
  const y = { type: 'quantitative' as const, title: 'density', scale: { domain: [0, 1.05 * most], nice: false } };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data, 'Dashed: calibrated; grey: 95 % band of a calibrated bin'),
    spacing: 20,
    vconcat: panels.map(({ name, N, band, rows }, p) => {
      const beyond = rows.filter(({ isWithin }) => !isWithin).length;
      const text = `${name} (${N.toLocaleString('en-US')} values): ${beyond} of ${bins} bins outside`;
      const axis = p === panels.length - 1 ? 'probability integral transform of the target' : null;
      return {
        width: WIDTH,
        height: 130,
        title: { text, fontSize: 12, offset: 6 },
        layer: [
          {
            data: { values: rows },
            mark: { type: 'bar' as const, color: COLOURS[0] as string, opacity: 0.6, binSpacing: 1 },
            encoding: {
              x: { ...x, field: 'left', title: axis },
              x2: { field: 'right' },
              y: { ...y, field: 'density' },
              y2: { datum: 0 },
            },
          },
          {
            data: { values: [{ left: 0, right: 1, ...band }] },
            mark: { type: 'rect' as const, color: SOFT, opacity: 0.3 },
            encoding: {
              x: { ...x, field: 'left', title: axis },
              x2: { field: 'right' },
              y: { ...y, field: 'low' },
              y2: { field: 'high' },
            },
          },
          {
            data: { values: [{ uniform: 1 }] },
            mark: { type: 'rule' as const, color: INK, strokeDash: [5, 4], strokeWidth: 1.2 },
            encoding: { y: { ...y, field: 'uniform' } },
          },
        ],
      };
    }),
  };
}
