/**
 * Reliability diagram: how often predictions of a given confidence are right (Guo et al. 2017), and how many predictions there
 * are.
 */
import type { ReliabilityBin } from 'tfjs-laplace';
import { array, finite, nonNegative, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, words } from './data.js';
import { drawn } from './svg.js';
import { colourOf, heading, SOFT, WIDTH } from './theme.js';

export interface ReliabilityData {
  readonly title: string;
  readonly subtitle?: string;
  readonly series: ReadonlyArray<{ readonly name: string; readonly bins: ReadonlyArray<ReliabilityBin> }>;
}

/** The line goes only through bins with at least this many predictions. In smaller bins the accuracy is mostly chance. */
const ENOUGH = 10;

/**
 * The rows that both panels draw: one for each series and bin that is not empty.
 *
 * @returns accuracy and its Wilson interval from `low` to `high`; edges `left` and `right` of the bar that shows the count
 */
export function reliabilityRows({ series }: ReliabilityData) {
  return series.flatMap(({ name, bins }, s) =>
    bins
      .filter((bin) => bin.count > 0)
      .map(({ lower, upper, count, confidence, accuracy }) => {
        const [low, high] = wilson(accuracy, count);
        // The bars of the series stand side by side within the bin.
        const step = (upper - lower) / series.length;
        return {
          name,
          confidence,
          accuracy,
          count,
          low,
          high,
          left: lower + step * (s + 0.08),
          right: lower + step * (s + 0.92),
          floor: 0.5,
        };
      }),
  );
}

/**
 * Wilson's interval of one standard deviation, 68 % (Wilson 1927). Unlike the normal interval it has a width even where all
 * predictions are right, or none.
 *
 * @param share observed share, in [0, 1]
 * @param n number of predictions
 */
export function wilson(share: number, n: number): readonly [low: number, high: number] {
  const middle = (share + 0.5 / n) / (1 + 1 / n);
  const half = Math.sqrt((share * (1 - share)) / n + 0.25 / n ** 2) / (1 + 1 / n);
  return [middle - half, middle + half];
}

const bin = struct('a bin', { lower: finite, upper: finite, count: nonNegative, confidence: finite, accuracy: finite });
const Data = struct('data', {
  ...HEADING,
  series: array(
    'a list of series',
    struct('a series', { name: words, bins: array('a list of bins, as calibration gives them', bin) }),
  ),
});

/**
 * Draws a reliability diagram: accuracy over confidence with 68 % intervals, and below it the number of predictions (log scale).
 *
 * @param data titles, and for each series the `bins` that `calibration` returns
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { calibration, orThrow } from 'tfjs-laplace';
 * import { reliabilityDiagram } from 'tfjs-laplace/plugins/plots';
 *
 * const { bins } = orThrow(calibration([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1]));
 * const svg = await reliabilityDiagram({ title: 'Confidence and accuracy', series: [{ name: 'linearised Laplace', bins }] });
 * svg.startsWith('<svg'); // => true
 * ```
 */
export const reliabilityDiagram = (data: ReliabilityData): Promise<string> => drawn(reliabilitySpec, data);

export function reliabilitySpec(given: ReliabilityData): TopLevelSpec {
  const data = optionsOf('reliabilityDiagram', Data, given);
  checkNames('reliabilityDiagram', data.series);
  const colour = colourOf(data.series.map((s) => s.name));
  const unit = { domain: [0, 1] };
  const largest = Math.max(...data.series.flatMap((s) => s.bins.map((bin) => bin.count)));
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    data: { values: reliabilityRows(data) },
    spacing: 14,
    vconcat: [
      {
        width: WIDTH,
        height: 320,
        layer: [
          {
            data: { values: [{ p: 0 }, { p: 1 }] },
            mark: { type: 'line', strokeDash: [5, 4], color: SOFT, strokeWidth: 1.2 },
            encoding: { x: { field: 'p', type: 'quantitative' }, y: { field: 'p', type: 'quantitative' } },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.4 },
            encoding: {
              x: { field: 'confidence', type: 'quantitative' },
              y: { field: 'low', type: 'quantitative' },
              y2: { field: 'high' },
              color: colour,
            },
          },
          {
            mark: { type: 'point', size: 46, filled: true, opacity: 1 },
            encoding: {
              x: { field: 'confidence', type: 'quantitative' },
              y: { field: 'accuracy', type: 'quantitative' },
              color: colour,
            },
          },
          {
            transform: [{ filter: `datum.count >= ${ENOUGH}` }],
            mark: { type: 'line', strokeWidth: 2 },
            encoding: {
              x: { field: 'confidence', type: 'quantitative', scale: unit, axis: { title: null, labels: false } },
              y: { field: 'accuracy', type: 'quantitative', scale: unit, title: 'share of right predictions' },
              color: colour,
            },
          },
        ],
      },
      {
        width: WIDTH,
        height: 110,
        mark: { type: 'bar' },
        encoding: {
          x: { field: 'left', type: 'quantitative', scale: unit, title: 'confidence (largest predicted probability)' },
          x2: { field: 'right' },
          y: {
            field: 'count',
            type: 'quantitative',
            title: 'predictions',
            scale: { type: 'log', domain: [0.5, 10 ** Math.ceil(Math.log10(Math.max(10, largest)))], nice: false },
            axis: { values: [1, 10, 100, 1000, 10_000, 100_000], format: '~s' },
          },
          y2: { field: 'floor' },
          color: colour,
        },
      },
    ],
  };
}
