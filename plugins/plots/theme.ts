/** Colours, letters and sizes that all pictures share. */
import type { Config } from 'vega-lite';

/** Okabe & Ito 2008: told apart by the colour-blind, and in print. */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'];

/** The first that a machine has is used. */
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
  // Else the first and last labels of an axis are shifted inwards, away from their ticks.
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

/** Width of a picture's panels. */
export const WIDTH = 560;
/** What Vega takes a letter for without a canvas to measure it on, as a share of the letter's height: more than it is. */
const LETTER = 0.8;

/** Title and subtitle, broken where Vega would otherwise make the picture wider. */
export const heading = ({ title, subtitle }: { readonly title: string; readonly subtitle?: string }) => ({
  text: lines(title, 16),
  ...(subtitle === undefined ? {} : { subtitle: lines(subtitle, 12) }),
});

/** Words in lines that fit a picture. */
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
