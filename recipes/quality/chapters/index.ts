/** The chapters in their order. Each is a pure function of what was found. */
import type { Found } from '../found.js';
import type { Chapter } from '../story.js';
import { abstaining } from './abstaining.js';
import { calibration } from './calibration.js';
import { choice } from './choice.js';
import { foreign } from './foreign.js';
import { network } from './network.js';
import { sets } from './sets.js';

export const CHAPTERS: ReadonlyArray<(found: Found) => Chapter> = [network, choice, calibration, abstaining, foreign, sets];
