/**
 * Pictures of detectors, which tell two groups apart by a score: the receiver operating characteristic with the area below it (AUROC), and
 * precision over recall with the average precision (AUPR).
 */
import { array, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, listsOf, words } from './data.js';
import { drawn } from './svg.js';
import { colourOf, heading, SOFT, WIDTH } from './theme.js';
import { thinned } from './thinned.js';

export interface RocData {
  readonly title: string;
  readonly subtitle?: string;
  /** The curve of each detector, as `rocCurve` gives it. */
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly curve: { readonly falsePositiveRate: ArrayLike<number>; readonly truePositiveRate: ArrayLike<number> };
  }>;
}

export interface PrecisionRecallData {
  readonly title: string;
  readonly subtitle?: string;
  /** The curve of each detector, as `precisionRecall` gives it. */
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly curve: { readonly precision: ArrayLike<number>; readonly recall: ArrayLike<number> };
  }>;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const Roc = struct('data', {
  ...HEADING,
  series: array(
    'a list of series',
    struct('a series', {
      name: words,
      curve: listsOf('a curve as rocCurve gives it', ['falsePositiveRate', 'truePositiveRate']),
    }),
  ),
});
const PrecisionRecall = struct('data', {
  ...HEADING,
  series: array(
    'a list of series',
    struct('a series', { name: words, curve: listsOf('a curve as precisionRecall gives it', ['precision', 'recall']) }),
  ),
});

/**
 * Draws receiver operating characteristics: the true positive rate over the false positive rate at all thresholds. The legend has the area
 * below each curve, by trapezoids. A score that knows nothing lies on the diagonal.
 *
 * @param data titles, and for each detector what `rocCurve` returns
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { orThrow, rocCurve } from 'tfjs-laplace';
 * import { rocCurves } from 'tfjs-laplace/plugins/plots';
 *
 * const curve = orThrow(rocCurve({ positives: [0.9, 0.4], negatives: [0.1, 0.4] }));
 * const svg = await rocCurves({ title: 'Rotated digits, by entropy', series: [{ name: 'linearised Laplace', curve }] });
 * svg.includes('linearised Laplace: AUROC 0.875'); // => true
 * ```
 */
export const rocCurves = (data: RocData): Promise<string> => drawn(rocSpec, data);

/**
 * Draws precision over recall at all thresholds. The legend has the average precision. A score that knows nothing has the share of
 * positives as its precision everywhere: the dashed line.
 *
 * @param data titles, and for each detector what `precisionRecall` returns
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { orThrow, precisionRecall } from 'tfjs-laplace';
 * import { precisionRecallCurves } from 'tfjs-laplace/plugins/plots';
 *
 * const curve = orThrow(precisionRecall({ positives: [0.9, 0.4], negatives: [0.1, 0.4] }));
 * const svg = await precisionRecallCurves({ title: 'Rotated digits, by entropy', series: [{ name: 'linearised Laplace', curve }] });
 * svg.includes('linearised Laplace: AUPR 0.833'); // => true
 * ```
 */
export const precisionRecallCurves = (data: PrecisionRecallData): Promise<string> => drawn(precisionRecallSpec, data);

export function rocSpec(given: RocData): TopLevelSpec {
  const data = optionsOf('rocCurves', Roc, given);
  checkNames('rocCurves', data.series);
  const lines = data.series.map(({ name, curve: { falsePositiveRate, truePositiveRate } }) => {
    const points = pointsOf(falsePositiveRate, truePositiveRate);
    const area = points.reduce((sum, { x, y }, i) => {
      const last = points[i - 1] ?? { x: 0, y: 0 };
      return sum + ((x - last.x) * (y + last.y)) / 2;
    }, 0);
    return { name: `${name}: AUROC ${area.toFixed(3)}`, points };
  });
  const chance = [pointsOf([0, 1], [0, 1])];
  return square(data, { x: 'false positive rate', y: 'true positive rate' }, lines, chance, 'linear');
}

export function precisionRecallSpec(given: PrecisionRecallData): TopLevelSpec {
  const data = optionsOf('precisionRecallCurves', PrecisionRecall, given);
  checkNames('precisionRecallCurves', data.series);
  const lines = data.series.map(({ name, curve: { precision, recall } }) => {
    const points = pointsOf(recall, precision);
    const area = points.reduce((sum, { x, y }, i) => sum + y * (x - (points[i - 1]?.x ?? 0)), 0);
    // Each precision holds from the recall before it on, as in the average.
    return { name: `${name}: AUPR ${area.toFixed(3)}`, points: [{ x: 0, y: points[0]?.y as number }, ...points] };
  });
  const shares = new Set(lines.map(({ points }) => points.at(-1)?.y as number));
  const chance = [...shares].map((share) => pointsOf([0, 1], [share, share]));
  return square(data, { x: 'recall (true positive rate)', y: 'precision' }, lines, chance, 'step-before');
}

const pointsOf = (x: ArrayLike<number>, y: ArrayLike<number>): ReadonlyArray<Point> =>
  Array.from(x, (v, i) => ({ x: v, y: y[i] as number }));

/** Lines over the unit square. */
function square(
  titles: { readonly title: string; readonly subtitle?: string },
  axes: { readonly x: string; readonly y: string },
  lines: ReadonlyArray<{ readonly name: string; readonly points: ReadonlyArray<Point> }>,
  chance: ReadonlyArray<ReadonlyArray<Point>>,
  interpolate: 'linear' | 'step-before',
): TopLevelSpec {
  const axis = (field: 'x' | 'y') => ({ field, type: 'quantitative' as const, title: axes[field], scale: { domain: [0, 1] } });
  const [x, y] = [axis('x'), axis('y')];
  const unit = { x: WIDTH, y: WIDTH };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(titles),
    width: WIDTH,
    height: WIDTH,
    layer: [
      ...chance.map((points) => ({
        data: { values: [...points] },
        mark: { type: 'line' as const, strokeDash: [5, 4], color: SOFT, strokeWidth: 1.2 },
        encoding: { x, y },
      })),
      {
        data: { values: lines.flatMap(({ name, points }) => thinned(points, unit).map((point) => ({ name, ...point }))) },
        mark: { type: 'line', strokeWidth: 2, interpolate, strokeJoin: 'round', order: false },
        encoding: { x, y, color: colourOf(lines.map(({ name }) => name)) },
      },
    ],
  };
}
