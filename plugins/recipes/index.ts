/** Runs recipes: on a trained model, or attached to its training. */
export type { OutputReport, RecipeReport, Step } from './analyse.js';
export type { Examples, RunData } from './data.js';
export type { Fitted, Tested } from './judge.js';
export type { Kept } from './keep.js';
export type { RunOptions } from './options.js';
export { RecipeCallback, type RecipeCallbackOptions, recipeCallback } from './recipeCallback.js';
export { type Json, reportData } from './reportData.js';
export { reportTable } from './reportTable.js';
export { runRecipe } from './runRecipe.js';
