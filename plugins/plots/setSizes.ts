/** Sizes of conformal sets: how many classes the sets of each method hold. */
import { array, optionsOf, refined, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, numbers, part, words } from './data.js';
import { drawn } from './svg.js';
import { colourOf, heading, INK, WIDTH } from './theme.js';

export interface SetSizeData {
  readonly title: string;
  readonly subtitle?: string;
  /** The sets of each method on the same examples, as `predictionSets` gives them, and their coverage, as `setCoverage` gives it. */
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly sets: ReadonlyArray<ArrayLike<number>>;
    /** The share of sets that hold the label. */
    readonly coverage: number;
  }>;
}

/** An axis has room for this many groups of bars. Where sets are larger, a group is a range of sizes. */
const MOST_GROUPS = 12;
/** A bar narrower than this, in SVG units, has no room for its number. */
const ROOM = 24;

const Sets = refined(
  'a list of sets of classes as predictionSets gives them, not empty',
  (value): value is ReadonlyArray<ArrayLike<number>> => Array.isArray(value) && value.length > 0 && value.every(numbers.is),
);
const Data = struct('data', {
  ...HEADING,
  series: array('a list of series', struct('a series', { name: words, sets: Sets, coverage: part })),
});

/**
 * Draws the share of sets of each size, the bars of the methods side by side. The legend has the coverage and the mean size of each method.
 *
 * @param data titles, and for each method the sets that `predictionSets` returns, with their `setCoverage`
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { orThrow, setCoverage } from 'tfjs-laplace';
 * import { setSizes } from 'tfjs-laplace/plugins/plots';
 *
 * const [sets, labels] = [[[0, 1], [2], [1]], [1, 2, 0]];
 * const coverage = orThrow(setCoverage(sets, labels));
 * const svg = await setSizes({ title: 'Conformal sets', series: [{ name: 'APS', sets, coverage }] });
 * svg.includes('APS: coverage 0.667, mean size 1.33'); // => true
 * ```
 */
export const setSizes = (data: SetSizeData): Promise<string> => drawn(setSizesSpec, data);

/**
 * The bars: one for each method and size, or range of sizes.
 *
 * @returns the label of the method, the sizes in words, and the share of its sets in per cent; the shares of a method add up to 100
 */
export function setSizeRows(series: SetSizeData['series']) {
  const largest = Math.max(...series.flatMap(({ sets }) => sets.map(({ length }) => length)));
  const width = Math.ceil((largest + 1) / MOST_GROUPS);
  const groups = Array.from({ length: Math.floor(largest / width) + 1 }, (_, g) => g * width);
  return series.flatMap(({ name, sets, coverage }) => {
    const mean = sets.reduce((sum, { length }) => sum + length, 0) / sets.length;
    return groups.map((least) => ({
      name: `${name}: coverage ${coverage.toFixed(3)}, mean size ${mean.toFixed(2)}`,
      size: sizesOf(least, Math.min(least + width - 1, largest)),
      share: (100 * sets.filter(({ length }) => length >= least && length < least + width).length) / sets.length,
    }));
  });
}

export function setSizesSpec(given: SetSizeData): TopLevelSpec {
  const data = optionsOf('setSizes', Data, given);
  checkNames('setSizes', data.series);
  const rows = setSizeRows(data.series).map((row) => ({ ...row, words: row.share === 0 ? '' : percent(row.share) }));
  const names = [...new Set(rows.map(({ name }) => name))];
  const sizes = [...new Set(rows.map(({ size }) => size))];
  const hasRoom = WIDTH / (sizes.length * (names.length + 0.5)) >= ROOM;
  const x = {
    field: 'size',
    type: 'nominal' as const,
    title: 'number of classes in the set',
    sort: sizes,
    axis: { labelAngle: 0 },
  };
  const xOffset = { field: 'name', sort: names };
  const most = Math.max(...rows.map(({ share }) => share));
  const y = {
    field: 'share',
    type: 'quantitative' as const,
    title: '% of the sets',
    scale: { domain: [0, Math.min(100, 1.08 * most)], nice: false },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data),
    width: WIDTH,
    height: 300,
    data: { values: rows },
    layer: [
      { mark: { type: 'bar' }, encoding: { x, xOffset, y, color: colourOf(names) } },
      ...(hasRoom
        ? [
            {
              mark: { type: 'text' as const, baseline: 'bottom' as const, dy: -2, fontSize: 9, color: INK },
              encoding: { x, xOffset, y, text: { field: 'words' } },
            },
          ]
        : []),
    ],
  };
}

const sizesOf = (least: number, most: number): string => (least === most ? String(least) : `${least}–${most}`);

/** As many digits as a bar has room for. */
const percent = (share: number): string => (share < 1 ? share.toPrecision(1) : share.toFixed(share < 10 ? 1 : 0));
