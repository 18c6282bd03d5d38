/**
 * Pictures of predictive distributions. Every function takes data and returns SVG text; `writePicture` makes files of it, SVG and
 * PNG. No canvas and no browser needed.
 */
export { type Curve, type CurvesData, curves } from './curves.js';
export { type GalleryData, type GalleryItem, gallery } from './gallery.js';
export { type HistogramData, type HistogramPanel, histograms } from './histograms.js';
export { canDrawText, pngOf } from './png.js';
export { type ReliabilityBin, type ReliabilityData, reliabilityDiagram } from './reliability.js';
export { type Written, writePicture } from './write.js';
