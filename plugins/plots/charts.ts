/** The pictures that Vega draws: each function takes data and resolves with SVG text. */
import { type CurvesData, curvesSpec } from './curves.js';
import { type HistogramData, histogramSpec } from './histograms.js';
import { type PowerLawData, powerLawSpec } from './powerLaws.js';
import { type ReliabilityData, reliabilitySpec } from './reliability.js';
import { svgOf } from './svg.js';

/** The picture of a specification. Rejects with `InvalidOption` for data that are wrong. */
const drawn = async <D>(spec: (data: D) => Parameters<typeof svgOf>[0], data: D): Promise<string> => svgOf(spec(data));

/**
 * Draws a reliability diagram: accuracy over confidence with 68 % intervals, and below it the number of predictions (log scale).
 *
 * @param data titles, and for each series the `bins` that `calibration` returns
 * @returns SVG text
 */
export const reliabilityDiagram = (data: ReliabilityData): Promise<string> => drawn(reliabilitySpec, data);

/**
 * Draws overlaid histograms, one panel under the other. Shares are on a log scale, because the interesting ones are small.
 *
 * @returns SVG text
 */
export const histograms = (data: HistogramData): Promise<string> => drawn(histogramSpec, data);

/**
 * Draws curves, with their bands, and dots where there are observations.
 *
 * @returns SVG text
 */
export const curves = (data: CurvesData): Promise<string> => drawn(curvesSpec, data);

/**
 * Draws costs against sizes: panels of points on two log axes. Each panel shows the fitted power law, and the exponent that
 * theory states.
 *
 * @returns SVG text
 */
export const powerLaws = (data: PowerLawData): Promise<string> => drawn(powerLawSpec, data);
