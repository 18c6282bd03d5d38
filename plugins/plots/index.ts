/**
 * Pictures of predictive distributions. Every drawing function takes data and returns SVG text. `writePicture` writes that text
 * as an SVG and a PNG file. Neither a canvas nor a browser is needed. Charts need the packages `vega` and
 * `vega-lite`, PNG files need `@resvg/resvg-js`. Without its package a function rejects with a `Backend` error that names it.
 */
export type { ReliabilityBin } from 'tfjs-laplace';
export { curves, histograms, powerLaws, reliabilityDiagram } from './charts.js';
export type { Curve, CurvesData } from './curves.js';
export { type GalleryData, type GalleryItem, gallery } from './gallery.js';
export type { HistogramData, HistogramPanel } from './histograms.js';
export { canDrawText, pngOf } from './png.js';
export type { PowerLawData, PowerLawPanel } from './powerLaws.js';
export type { ReliabilityData } from './reliability.js';
export { COLOURS } from './theme.js';
export { type Written, writePicture } from './write.js';
