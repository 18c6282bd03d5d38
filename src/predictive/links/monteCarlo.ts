/** The link `monteCarlo`: means over draws for classes, and quadrature, exact to 1e-11, for independent labels. */
import type { LinkRule } from './link.js';
import { labelsByQuadrature } from './logisticNormal.js';
import { drawnClasses } from './outputDraws.js';

export const monteCarloRule: LinkRule = { classes: drawnClasses, labels: labelsByQuadrature, isDrawn: true };
