/** Cost against size on two log axes: one panel for each cost and each varied size, with the fitted power law. */

import { array, finite, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { HEADING, points, words } from './data.js';
import { drawn } from './svg.js';
import { COLOURS, heading } from './theme.js';

/** One cost against one size. */
export interface PowerLawPanel {
  /** Title of the horizontal axis, what is varied: 'examples in the batch'. */
  readonly size: string;
  /** Title of the vertical axis, what is measured, with its unit: 'time (ms)'. */
  readonly cost: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>;
  /** The fitted law y = factor · x^exponent. Its line is drawn over the points with x >= `from`. */
  readonly fitted: { readonly exponent: number; readonly factor: number; readonly from: number };
  /** The exponent that theory states, printed beside the fitted one. */
  readonly stated: string;
}

export interface PowerLawData {
  readonly title: string;
  readonly subtitle?: string;
  /** Panels, row by row. */
  readonly rows: ReadonlyArray<ReadonlyArray<PowerLawPanel>>;
}

/** Points of the fitted line, at the x of the points that it was fitted to. */
export const lawPoints = ({ points, fitted: { exponent, factor, from } }: PowerLawPanel): { x: number; y: number }[] =>
  points.filter(({ x }) => x >= from).map(({ x }) => ({ x, y: factor * x ** exponent }));

const panel = struct('a panel', {
  size: words,
  cost: words,
  points,
  fitted: struct('a fitted law', { exponent: finite, factor: finite, from: finite }),
  stated: words,
});
const Data = struct('data', { ...HEADING, rows: array('a list of rows', array('a list of panels', panel)) });

/**
 * Draws costs against sizes: panels of points on two log axes. Each panel shows the fitted power law, and the exponent that
 * theory states.
 *
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 */
export const powerLaws = (data: PowerLawData): Promise<string> => drawn(powerLawSpec, data);

export function powerLawSpec(given: PowerLawData): TopLevelSpec {
  const data = optionsOf('powerLaws', Data, given);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    spacing: 26,
    // 'flush' leaves axis labels out of the layout, so that the panels of a column line up.
    vconcat: data.rows.map((panels) => ({ spacing: 78, bounds: 'flush' as const, hconcat: panels.map(panelSpec) })),
  };
}

function panelSpec(panel: PowerLawPanel) {
  const { points, fitted, stated, size, cost } = panel;
  const scale = { type: 'log' as const, base: 2, nice: false };
  const x = { field: 'x', type: 'quantitative' as const, title: size, axis: { values: points.map((p) => p.x), format: '~g' } };
  const ys = points.map((p) => p.y);
  // The axis spans a factor of 16 or more: on a tight axis the noise of a flat curve would look like a trend.
  const middle = Math.sqrt(Math.min(...ys) * Math.max(...ys));
  const reach = Math.max(Math.SQRT2 * Math.sqrt(Math.max(...ys) / Math.min(...ys)), 4);
  const y = {
    field: 'y',
    type: 'quantitative' as const,
    title: cost,
    scale: { type: 'log' as const, domain: [middle / reach, middle * reach], nice: false },
    axis: { format: '~s', tickCount: 4 },
  };
  return {
    width: 150,
    height: 130,
    title: { text: `${fitted.exponent.toFixed(2)} fitted, ${stated} stated`, fontSize: 12, fontWeight: 500 as const, offset: 6 },
    layer: [
      {
        data: { values: lawPoints(panel) },
        mark: { type: 'line' as const, color: COLOURS[1] as string, strokeWidth: 2, opacity: 0.8 },
        encoding: { x: { ...x, scale }, y },
      },
      {
        // Vega writes into its data, and decoded data are frozen.
        data: { values: points.map((own) => ({ ...own })) },
        mark: { type: 'circle' as const, color: COLOURS[0] as string, size: 50, opacity: 1 },
        encoding: { x: { ...x, scale }, y },
      },
    ],
  };
}
