/** Runs recipes: on a trained model, or attached to its training. */

export type { Examples, RunData } from './data.js';
export type { Fitted, Tested } from './judge.js';
export type { RunOptions } from './options.js';
export { RecipeCallback, type RecipeCallbackOptions, recipeCallback } from './recipeCallback.js';
export type { Kept, OutputReport, RecipeReport, Step } from './report.js';
export { type Json, reportData } from './reportData.js';
export { reportTable } from './reportTable.js';
export { runRecipe } from './runRecipe.js';
