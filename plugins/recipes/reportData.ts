/** A report as data for JSON. */
import { either as E } from 'fp-ts';
import { encodeRecipe, type Posterior, type Tuning } from 'tfjs-laplace';
import type { RecipeReport } from './report.js';

/** Data that JSON can hold. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json };

/**
 * A report as data for JSON: the recipe, what the posterior covers, its evidence, the tuning, and what was found about each output. The
 * matrices of the posterior are left out: `savePosterior` keeps them. Infinite numbers become the words 'Infinity' and '-Infinity'. The
 * values of `calibrator`, `conformal` and `abstention` are as `decodeCalibrator`, `decodeConformal` and `decodeAbstention` read them.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { reportData, runRecipe } from 'tfjs-laplace/plugins/recipes';
 * import { either as E } from 'fp-ts';
 * import { recipe } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const training = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const report = await runRecipe(model, { training }, recipe({ likelihood: 'gaussian' }))();
 * E.isRight(report) && JSON.parse(JSON.stringify(reportData(report.right))).examples; // => 3
 * ```
 */
export function reportData(report: Omit<RecipeReport, 'kept'> & Partial<Pick<RecipeReport, 'kept'>>): Json {
  const { recipe, posterior, tuning, ...rest } = report;
  const written = encodeRecipe(recipe);
  return plain({
    format: 'tfjs-laplace report',
    // A recipe that holds code has no form as data.
    ...(E.isRight(written) && { recipe: written.right }),
    ...rest,
    posterior: posteriorData(posterior),
    ...(tuning && { tuning: tuningData(tuning) }),
  });
}

const posteriorData = ({ fingerprint, likelihood, estimator, damping, layers }: Posterior) => ({
  fingerprint,
  likelihood: likelihood._tag === 'custom' ? { _tag: 'custom', name: likelihood.name } : likelihood,
  estimator: estimator._tag,
  damping: damping._tag,
  layers: layers.map(({ name, structure, groups, n, m, priorPrecision }) => ({ name, structure, groups, n, m, priorPrecision })),
});

const tuningData = ({ chosen, verdict, choices, network, candidates }: Tuning) => ({
  chosen,
  verdict,
  choices,
  network,
  candidates,
});

/** Plain data: typed arrays become lists, functions are left out, and infinite numbers become words. */
function plain(value: unknown): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined && typeof own !== 'function');
  return Object.fromEntries(entries.map(([key, own]) => [key, plain(own)]));
}
