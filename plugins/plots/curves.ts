/** Lines, bands and points over one axis, for sweeps and for regressions with their uncertainty. */

import { array, boolean, finite, literals, optional, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { HEADING, points, range, words } from './data.js';
import { COLOURS, heading, INK, WIDTH } from './theme.js';

/** A curve, with a band from `low` to `high` where its points have them. */
export interface Curve {
  readonly name: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }>;
  /** Whether the points are marked. If one curve asks for it, all curves of the picture are marked. */
  readonly marked?: boolean;
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
const Data = struct('data', {
  ...HEADING,
  xAxis: words,
  yAxis: words,
  xScale: optional(literals('linear', 'log')),
  yRange: optional(range),
  curves: array(
    'a list of curves',
    struct('a curve', {
      name: words,
      points: array('a list of points { x, y }', point),
      marked: optional(boolean),
      colour: optional(words),
    }),
  ),
  dots: optional(points),
});

export function curvesSpec(given: CurvesData): TopLevelSpec {
  const data = optionsOf('curves', Data, given);
  const names = data.curves.map((curve) => curve.name);
  const values = data.curves.flatMap(({ name, points }) => points.map((point) => ({ name, ...point })));
  const banded = values.filter((v) => v.low !== undefined && v.high !== undefined);
  const color = {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, range: data.curves.map((curve, i) => curve.colour ?? (COLOURS[i % COLOURS.length] as string)) },
    legend: { symbolOpacity: 1 },
  };
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
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 2, clip, ...(marked ? { point: { size: 46, filled: true } } : {}) },
        encoding: { x, y: { ...y, field: 'y' }, color },
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
