/** Cost against size on two log axes, a panel for each size that is varied, with the power law that was fitted. */
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS, heading } from './theme.js';

/** One cost against one size. */
export interface PowerLawPanel {
  /** What is varied, for the axis: 'examples in the batch'. */
  readonly size: string;
  /** What is measured, with its unit: 'time (ms)'. */
  readonly cost: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>;
  /** Exponent and factor of the law y = factor · x^exponent, drawn over the points from `from` on. */
  readonly fitted: { readonly exponent: number; readonly factor: number; readonly from: number };
  /** The exponent that theory states, to stand beside the fitted one. */
  readonly stated: string;
}

export interface PowerLawData {
  readonly title: string;
  readonly subtitle?: string;
  /** Rows of panels. */
  readonly rows: ReadonlyArray<ReadonlyArray<PowerLawPanel>>;
}

/** The line of a law over the points that it was fitted to. */
export const lawPoints = ({ points, fitted: { exponent, factor, from } }: PowerLawPanel): { x: number; y: number }[] =>
  points.filter(({ x }) => x >= from).map(({ x }) => ({ x, y: factor * x ** exponent }));

export function powerLawSpec(data: PowerLawData): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    spacing: 26,
    // Flush, so that columns stand below each other whatever their labels take.
    vconcat: data.rows.map((panels) => ({ spacing: 78, bounds: 'flush' as const, hconcat: panels.map(panelSpec) })),
  };
}

function panelSpec(panel: PowerLawPanel) {
  const { points, fitted, stated, size, cost } = panel;
  const scale = { type: 'log' as const, base: 2, nice: false };
  const x = { field: 'x', type: 'quantitative' as const, title: size, axis: { values: points.map((p) => p.x), format: '~g' } };
  const ys = points.map((p) => p.y);
  // A flat curve keeps room around it, so that its noise does not look like a trend.
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
        data: { values: [...points] },
        mark: { type: 'circle' as const, color: COLOURS[0] as string, size: 50, opacity: 1 },
        encoding: { x: { ...x, scale }, y },
      },
    ],
  };
}
