/** Reliability diagram: how often predictions of a given confidence are right (Guo et al. 2017), and how many there are. */
import type { TopLevelSpec } from 'vega-lite';
import { svgOf } from './svg.js';
import { COLOURS, SOFT } from './theme.js';

/** Predictions whose confidence lies between `lower` and `upper`. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Mean confidence of the predictions in the bin. */
  readonly confidence: number;
  /** Share of them that is right. */
  readonly accuracy: number;
}

export interface ReliabilityData {
  readonly title: string;
  readonly subtitle?: string;
  readonly series: ReadonlyArray<{ readonly name: string; readonly bins: ReadonlyArray<ReliabilityBin> }>;
}

const WIDTH = 460;

/** Rows of both panels: empty bins have neither accuracy nor bar. Error bars are one binomial standard error. */
export function reliabilityRows({ series }: ReliabilityData) {
  return series.flatMap(({ name, bins }, s) =>
    bins
      .filter((bin) => bin.count > 0)
      .map(({ lower, upper, count, confidence, accuracy }) => {
        const error = Math.sqrt((accuracy * (1 - accuracy)) / count);
        // Bars of several series share a bin side by side.
        const step = (upper - lower) / series.length;
        return {
          name,
          confidence,
          accuracy,
          count,
          low: Math.max(0, accuracy - error),
          high: Math.min(1, accuracy + error),
          left: lower + step * (s + 0.08),
          right: lower + step * (s + 0.92),
          floor: 0.5,
        };
      }),
  );
}

export function reliabilitySpec(data: ReliabilityData): TopLevelSpec {
  const names = data.series.map((s) => s.name);
  const colour = {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, range: COLOURS.slice(0, names.length) },
  };
  const unit = { domain: [0, 1] };
  const largest = Math.max(...data.series.flatMap((s) => s.bins.map((bin) => bin.count)));
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: data.title, ...(data.subtitle === undefined ? {} : { subtitle: data.subtitle }) },
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
            mark: { type: 'line', strokeWidth: 2, point: { size: 46, filled: true } },
            encoding: {
              x: { field: 'confidence', type: 'quantitative', scale: unit, axis: { title: null, labels: false } },
              y: { field: 'accuracy', type: 'quantitative', scale: unit, title: 'share that is right' },
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

/** The diagram as SVG: accuracy over confidence with one standard error, and below it the number of predictions (log scale). */
export const reliabilityDiagram = (data: ReliabilityData): Promise<string> => svgOf(reliabilitySpec(data));
