/**
 * Pictures of predictive distributions, and of how they were chosen and judged. Every drawing function takes data and returns SVG
 * text. `writePicture` writes that text as an SVG and a PNG file. Neither a canvas nor a browser is needed. Charts need the packages
 * `vega` and `vega-lite`, PNG files need `@resvg/resvg-js`. Without its package a function rejects with a `Backend` error that names it.
 */
export type { ReliabilityBin } from 'tfjs-laplace';
export { type Curve, type CurvesData, curves } from './curves.js';
export { type PrecisionRecallData, precisionRecallCurves, type RocData, rocCurves } from './detection.js';
export { type EvidenceAt, type EvidenceData, evidenceCurves } from './evidenceCurves.js';
export { type GalleryData, type GalleryItem, gallery } from './gallery.js';
export { type HistogramData, type HistogramPanel, histograms } from './histograms.js';
export { type PitData, pitHistograms } from './pit.js';
export { canDrawText, pngOf } from './png.js';
export { type PowerLawData, type PowerLawPanel, powerLaws } from './powerLaws.js';
export { type PredictionBandsData, predictionBands } from './predictionBands.js';
export { type ReliabilityData, reliabilityDiagram } from './reliability.js';
export { type RiskCoverageData, type RiskCurve, riskCoverageCurves } from './riskCoverage.js';
export { type SetSizeData, setSizes } from './setSizes.js';
export { COLOURS } from './theme.js';
export { type TuningData, tuningCurve } from './tuningCurve.js';
export { type Written, writePicture } from './write.js';
