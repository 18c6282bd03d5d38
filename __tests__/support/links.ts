/** The link options of `linearised()`. */
import type { LinkOptions } from '../../src/predictive/report/linearisedReport.js';

export const LINK: LinkOptions = { link: 'probit', samples: 128, seed: 0, scale: 1 };
