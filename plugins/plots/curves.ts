/** Lines, bands and points over one axis, for sweeps and for regressions with their uncertainty. */

import { array, boolean, defaulted, finite, literals, optional, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { HEADING, points, range, words } from './data.js';
import { drawn } from './svg.js';
import { colourOf, DASHES, heading, INK, WIDTH } from './theme.js';

/** A curve, with a band from `low` to `high` where its points have them. */
export interface Curve {
  /** Curves of the same name have one colour, and one entry in the legend. */
  readonly name: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }>;
  /** Whether the points are marked. If one curve asks for it, all curves of the picture are marked. */
  readonly marked?: boolean;
  /** The line through the points; `'none'` draws the band alone. Default `'solid'`. */
  readonly line?: 'solid' | 'dashed' | 'none';
  /** CSS colour. Default: the next colour of the palette. */
  readonly colour?: string;
}

export interface CurvesData {
  readonly title: string;
  readonly subtitle?: string;
  /** Titles of the axes, with units. */
  readonly xAxis: string;
  readonly yAxis: string;
  readonly xScale?: 'linear' | 'log';
  readonly yRange?: readonly [number, number];
  readonly curves: ReadonlyArray<Curve>;
  /** Observations, drawn as black dots. */
  readonly dots?: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

const point = struct('a point', { x: finite, y: finite, low: optional(finite), high: optional(finite) });
export const CurveCodec = struct('a curve', {
  name: words,
  points: array('a list of points { x, y }', point),
  marked: optional(boolean),
  line: defaulted(literals('solid', 'dashed', 'none'), 'solid'),
  colour: optional(words),
});
const Data = struct('data', {
  ...HEADING,
  xAxis: words,
  yAxis: words,
  xScale: optional(literals('linear', 'log')),
  yRange: optional(range),
  curves: array('a list of curves', CurveCodec),
  dots: optional(points),
});

/**
 * Draws curves, with their bands, and dots where there are observations.
 *
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { curves } from 'tfjs-laplace/plugins/plots';
 *
 * const points = [0, 1, 2].map((x) => ({ x, y: x * x, low: x * x - 1, high: x * x + 1 }));
 * const svg = await curves({ title: 'A fall', xAxis: 'time (s)', yAxis: 'way (m)', curves: [{ name: 'mean ± 1 sd', points }] });
 * svg.startsWith('<svg'); // => true
 * ```
 */
export const curves = (data: CurvesData): Promise<string> => drawn(curvesSpec, data);

export function curvesSpec(given: CurvesData): TopLevelSpec {
  const data = optionsOf('curves', Data, given);
  // The number of its curve keeps the points of each line together.
  const rows = data.curves.flatMap(({ name, points, line }, curve) => points.map((point) => ({ ...point, name, curve, line })));
  const banded = rows.filter((row) => row.low !== undefined && row.high !== undefined);
  const color = colourOf(
    data.curves.map((curve) => curve.name),
    data.curves.map((curve) => curve.colour),
  );
  const detail = { field: 'curve' };
  const x = {
    field: 'x',
    type: 'quantitative' as const,
    title: data.xAxis,
    scale: { type: data.xScale ?? 'linear', zero: false, nice: false },
  };
  const yScale = data.yRange === undefined ? { zero: false } : { domain: [...data.yRange], nice: false };
  const y = { type: 'quantitative' as const, title: data.yAxis, scale: yScale };
  const clip = data.yRange !== undefined;
  const marked = data.curves.some((curve) => curve.marked);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    width: WIDTH,
    height: 320,
    layer: [
      {
        data: { values: banded },
        mark: { type: 'area', opacity: 0.22, clip },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color, detail },
      },
      {
        data: { values: rows.filter(({ line }) => line !== 'none') },
        mark: { type: 'line', strokeWidth: 2, clip, ...(marked ? { point: { size: 46, filled: true } } : {}) },
        encoding: {
          x,
          y: { ...y, field: 'y' },
          color,
          detail,
          strokeDash: DASHES,
        },
      },
      {
        // Vega writes into its data, and decoded data are frozen.
        data: { values: (data.dots ?? []).map((dot) => ({ ...dot })) },
        mark: { type: 'circle', color: INK, size: 22, opacity: 0.75, clip },
        encoding: { x, y: { ...y, field: 'y' } },
      },
    ],
  };
}
