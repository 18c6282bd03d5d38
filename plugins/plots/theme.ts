/** Colours, fonts and sizes that all pictures share. */
import type { Config } from 'vega-lite';

/** Colours that colour-blind people can tell apart, in print too (Okabe & Ito 2008). */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'];

/** The machine uses the first of these fonts that it has. */
export const FONT = 'Helvetica Neue, Helvetica, Arial, DejaVu Sans, Liberation Sans, sans-serif';

export const INK = '#222222';
export const SOFT = '#6b6b6b';
export const GRID = '#e4e4e4';

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
    labelLimit: 320,
  },
  range: { category: COLOURS },
};

/** Width of a panel, in SVG units. */
export const WIDTH = 560;
/**
 * Width of a letter as a share of its height, as Vega estimates it without a canvas. The estimate is larger than the true width.
 */
const LETTER = 0.8;

/** Title and subtitle for Vega, broken into lines so that a long one does not make the picture wider. */
export const heading = ({ title, subtitle }: { readonly title: string; readonly subtitle?: string }) => ({
  text: lines(title, 16),
  ...(subtitle === undefined ? {} : { subtitle: lines(subtitle, 12) }),
});

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
