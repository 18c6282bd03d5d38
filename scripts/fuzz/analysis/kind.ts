/** The kind `analysis`: a whole analysis of a random network. */
import { inspect } from 'node:util';
import { kindOf } from '../kindOf.js';
import { analyses, recipeOf } from './cases.js';
import { checkAnalysis } from './check.js';

/** Random analyses. */
export const analysis = kindOf({
  name: 'analysis',
  about: 'a random network, data and recipe: factors, posterior, files and predictions',
  share: 10,
  cases: analyses,
  check: checkAnalysis,
  show: ({ choices, ...own }) =>
    inspect(JSON.parse(JSON.stringify({ ...own, recipe: recipeOf({ ...own, choices }) })), { depth: null, breakLength: 130 }),
});
