/** The pictures that Vega draws. */
import { type CurvesData, curvesSpec } from './curves.js';
import { type HistogramData, histogramSpec } from './histograms.js';
import { type PowerLawData, powerLawSpec } from './powerLaws.js';
import { type ReliabilityData, reliabilitySpec } from './reliability.js';
import { svgOf } from './svg.js';

/**
 * Reliability diagram as SVG: accuracy over confidence with 68 % intervals, and below it the number of predictions (log scale).
 * The bins are those of `calibration`.
 */
export const reliabilityDiagram = (data: ReliabilityData): Promise<string> => svgOf(reliabilitySpec(data));

/** Overlaid histograms as SVG, one panel under the other; shares on a log scale, since the interesting ones are small. */
export const histograms = (data: HistogramData): Promise<string> => svgOf(histogramSpec(data));

/** Curves as SVG, with bands and dots where they have any. */
export const curves = (data: CurvesData): Promise<string> => svgOf(curvesSpec(data));

/** Costs against sizes as SVG: panels of points on two log axes, each with the power law that was fitted and the one that is stated. */
export const powerLaws = (data: PowerLawData): Promise<string> => svgOf(powerLawSpec(data));
