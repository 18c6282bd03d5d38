/** Overlaid histograms of several groups of numbers. A bar is a share of its own group, so that groups of any size compare. */

import { array, defaulted, optionsOf, positiveInteger, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { HEADING, numbers, range, words } from './data.js';
import { drawn } from './svg.js';
import { COLOURS, heading, WIDTH } from './theme.js';

/** One panel: groups over a common axis. */
export interface HistogramPanel {
  readonly title: string;
  readonly groups: ReadonlyArray<{ readonly name: string; readonly values: ArrayLike<number> }>;
}

export interface HistogramData {
  readonly title: string;
  readonly subtitle?: string;
  /** Title of the axis, with its unit: 'predictive entropy (nats)'. */
  readonly axis: string;
  /** The things that are counted: 'test digits' gives the axis '% of test digits'. */
  readonly of: string;
  /** Ends of the axis. Values beyond them count in the outermost bins. */
  readonly range: readonly [number, number];
  /** Number of bins. Default 40. */
  readonly bins?: number;
  readonly panels: ReadonlyArray<HistogramPanel>;
}

/**
 * The bars of a panel: one row for each group and bin.
 *
 * @param panel the groups
 * @param range ends of the axis; values beyond them count in the outermost bins
 * @param bins number of bins
 * @returns ends of each bar, and its share in per cent; the shares of a group add up to 100
 */
export function histogramRows(panel: HistogramPanel, [low, high]: readonly [number, number], bins: number) {
  const width = (high - low) / bins;
  return panel.groups.flatMap(({ name, values }) => {
    const counts = new Array<number>(bins).fill(0);
    for (let i = 0; i < values.length; i++) {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor(((values[i] as number) - low) / width)));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts.map((count, i) => ({
      group: `${name} (${values.length.toLocaleString('en-US')})`,
      left: low + width * i,
      right: low + width * (i + 1),
      share: values.length === 0 ? 0 : (100 * count) / values.length,
    }));
  });
}

const Data = struct('data', {
  ...HEADING,
  axis: words,
  of: words,
  range,
  bins: defaulted(positiveInteger, 40),
  panels: array(
    'a list of panels',
    struct('a panel', { title: words, groups: array('a list of groups', struct('a group', { name: words, values: numbers })) }),
  ),
});

/**
 * Draws overlaid histograms, one panel under the other. Shares are on a log scale, because the interesting ones are small.
 *
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 */
export const histograms = (data: HistogramData): Promise<string> => drawn(histogramSpec, data);

export function histogramSpec(given: HistogramData): TopLevelSpec {
  const data = optionsOf('histograms', Data, given);
  const { bins, range: ends, panels } = data;
  const largest = Math.max(1, ...panels.flatMap((panel) => panel.groups.map((group) => group.values.length)));
  /** Foot of the log axis: half the share, in per cent, that one value has in the largest group. */
  const floor = 50 / largest;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    spacing: 22,
    resolve: { scale: { color: 'independent' } },
    vconcat: panels.map((panel, p) => {
      const all = histogramRows(panel, ends, bins);
      const names = [...new Set(all.map((row) => row.group))];
      return {
        width: WIDTH,
        height: 150,
        title: { text: panel.title, fontSize: 13, offset: 4 },
        data: { values: all.filter((row) => row.share > 0) },
        mark: { type: 'bar' as const, opacity: 0.55, binSpacing: 0 },
        encoding: {
          x: {
            field: 'left',
            type: 'quantitative' as const,
            scale: { domain: [...ends], nice: false },
            title: p === panels.length - 1 ? data.axis : null,
          },
          x2: { field: 'right' },
          y: {
            field: 'share',
            type: 'quantitative' as const,
            stack: null,
            title: `% of ${data.of}`,
            scale: { type: 'log' as const, domain: [floor, 100], nice: false },
            axis: { values: [0.001, 0.01, 0.1, 1, 10, 100].filter((v) => v > floor), format: '~g' },
          },
          y2: { datum: floor },
          color: {
            field: 'group',
            type: 'nominal' as const,
            title: null,
            scale: { domain: names, range: COLOURS.slice(0, names.length) },
          },
        },
      };
    }),
  };
}
