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
