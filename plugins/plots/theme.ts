/** Colours, fonts and sizes that all pictures share. */
import type { Config } from 'vega-lite';

/** Colours that colour-blind people can tell apart, in print too (Okabe & Ito 2008). */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'];

/** The machine uses the first of these fonts that it has. */
export const FONT = 'Helvetica Neue, Helvetica, Arial, DejaVu Sans, Liberation Sans, sans-serif';

export const INK = '#222222';
export const SOFT = '#6b6b6b';
export const GRID = '#e4e4e4';

/** Width of a panel, in SVG units. */
export const WIDTH = 560;

export const config: Config = {
  background: 'white',
  padding: 16,
  font: FONT,
  view: { stroke: null },
  title: {
    anchor: 'start',
    fontSize: 16,
    fontWeight: 600,
    color: INK,
    subtitleFontSize: 12,
    subtitleColor: SOFT,
    offset: 14,
    subtitlePadding: 5,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 500,
    labelColor: INK,
    titleColor: INK,
    gridColor: GRID,
    domainColor: SOFT,
    tickColor: SOFT,
    titlePadding: 8,
  },
  // By default Vega shifts the first and last label of an axis inwards, away from their ticks.
  axisX: { labelFlush: false },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
    labelColor: INK,
    titleColor: INK,
    symbolSize: 120,
    orient: 'top',
    titleOrient: 'left',
    // Vega cuts labels by its own estimate of their width, which is too large.
    labelLimit: 2 * WIDTH,
  },
  range: { category: COLOURS },
};

/**
 * Width of a letter as a share of its height, as Vega estimates it without a canvas. The estimate is larger than the true width.
 */
const LETTER = 0.8;

/**
 * Title and subtitle for Vega, broken into lines so that a long one does not make the picture wider.
 *
 * @param note a further line below the subtitle: what the picture itself has to say about its marks
 */
export const heading = ({ title, subtitle }: { readonly title: string; readonly subtitle?: string }, note?: string) => {
  const below = [subtitle, note].flatMap((words) => (words === undefined ? [] : lines(words, 12)));
  return { text: lines(title, 16), ...(below.length === 0 ? {} : { subtitle: below }) };
};

/**
 * Breaks a text between words into lines that fit a picture.
 *
 * @param words the text
 * @param size font size, in SVG units
 */
export function lines(words: string, size: number): string[] {
  const most = Math.floor((WIDTH + 50) / (LETTER * size));
  const all: string[] = [];
  for (const word of words.split(' ')) {
    const last = all.at(-1);
    if (last === undefined || `${last} ${word}`.length > most) all.push(word);
    else all[all.length - 1] = `${last} ${word}`;
  }
  return all;
}

/** Patterns of lines, by the word in the field `line`. */
export const DASHES = {
  field: 'line',
  type: 'nominal' as const,
  scale: {
    domain: ['solid', 'dashed', 'dotted'],
    range: [
      [1, 0],
      [6, 4],
      [2, 3],
    ],
  },
  legend: null,
};

/** Width that Vega gives to an entry of a legend beside its words, in SVG units: the symbol, and the gap to the next one. */
const SYMBOL = 32;

/**
 * The colours of named series, with a legend above the panel. Its entries stand side by side as far as they fit.
 *
 * @param names the names; a name that comes again has the colour of its first series
 * @param colours CSS colours; where there is none, the next colour of the palette
 */
export function colourOf(names: ReadonlyArray<string>, colours: ReadonlyArray<string | undefined> = []) {
  const entries = new Map<string, string>();
  names.forEach((name, i) => {
    if (!entries.has(name)) entries.set(name, colours[i] ?? (COLOURS[entries.size % COLOURS.length] as string));
  });
  const domain = [...entries.keys()];
  return {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain, range: [...entries.values()] },
    legend: { columns: columnsFor(domain), symbolOpacity: 1 },
  };
}

/** The most columns whose entries fit, at least one. */
function columnsFor(names: ReadonlyArray<string>): number {
  const widths = names.map((name) => SYMBOL + LETTER * 12 * name.length);
  const widthOf = (columns: number): number =>
    Array.from({ length: columns }, (_, c) => Math.max(...widths.filter((_, i) => i % columns === c))).reduce((a, b) => a + b);
  let columns = names.length;
  while (columns > 1 && widthOf(columns) > WIDTH) columns--;
  return columns;
}
