/** One analysis from its recipe to predictions, through files, and everything that must hold on the way. */
import { isDeepStrictEqual } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  decodeFactors,
  decodePosterior,
  decodeRecipe,
  encodeFactors,
  encodePosterior,
  encodeRecipe,
  type Factors,
  isLaplaceError,
  merge,
  observe,
  orThrow,
  outputDistribution,
  type Posterior,
  predict,
  type Recipe,
  recipe,
  toPosterior,
} from 'tfjs-laplace';
import { settled } from '../../../__tests__/support/memory.js';
import { claim } from '../kind.js';
import { type Analysis, type Data, drawn, recipeOf } from './cases.js';
import { isExpected } from './expected.js';
import { build, HEAD_NAMES } from './network.js';
import { checkCovariances, checkMerged, checkPrediction, checkSums } from './oracles.js';

/** Runs an analysis. Throws what is wrong; an error of the library that the analysis must end with is none. */
export async function checkAnalysis(analysis: Analysis): Promise<void> {
  const model = build(analysis.network, analysis.heads);
  const data = drawn(analysis, model);
  const before = tf.memory().numTensors;
  try {
    await flow(analysis, model, data).catch((error: unknown) => {
      if (!isLaplaceError(error) || !isExpected(error, analysis, model, data)) throw error;
    });
    // What an error leaves half-way ends within a few turns.
    if (tf.memory().numTensors !== before) await settled();
    const left = tf.memory().numTensors - before;
    claim(left === 0, () => `${left} tensors stay on the device`);
  } finally {
    disposeModel(model);
    tf.dispose([data.x, data.y, data.weights ?? []]);
  }
}

/** Frees a model. `dispose` of a model keeps the weights of a layer that it uses twice. */
export function disposeModel(model: tf.LayersModel): void {
  const weights = model.weights.map((w) => w.read());
  model.dispose();
  tf.dispose(weights.filter((w) => !w.isDisposed));
}

/** The recipe, which may have been data of JSON in between. */
function recipeFor(analysis: Analysis): Recipe {
  const made = recipe(recipeOf(analysis));
  if (!analysis.throughJson) return made;
  const read = orThrow(decodeRecipe(JSON.parse(JSON.stringify(orThrow(encodeRecipe(made))))));
  claim(isDeepStrictEqual(read, made), () => `a recipe is another one after JSON: ${JSON.stringify(read)}`);
  return read;
}

async function flow(analysis: Analysis, model: tf.LayersModel, { x, y, weights }: Data): Promise<void> {
  const own = recipeFor(analysis);
  const only = <A>(list: A[]): A | A[] => (list.length === 1 ? (list[0] as A) : list);
  const sources = batches({ x: only(x), y: only(y), ...(weights && { weights }) }, analysis.examples.batch);
  const factorsOf = (some: typeof sources): Promise<Factors> =>
    lastValueFrom(from(some).pipe(observe(model, own), accumulateFactors(own)));

  const factors = await factorsOf(sources);
  const stored = orThrow(decodeFactors(orThrow(encodeFactors(factors))));
  claim(isDeepStrictEqual(stored, factors), () => 'factors are others after a file');

  const [early, late] = [sources.slice(0, sources.length >> 1), sources.slice(sources.length >> 1)];
  if (early.length > 0 && addsUp(own)) checkMerged(orThrow(merge(await factorsOf(early), await factorsOf(late))), factors);

  const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ prior: own.prior, damping: own.damping })));
  const loaded = orThrow(decodePosterior(orThrow(encodePosterior(posterior))));
  claim(isDeepStrictEqual(loaded, posterior), () => 'a posterior is another one after a file');

  const predicted = (under: Posterior) => lastValueFrom(from([only(x)]).pipe(predict(model, under, own.predictive)));
  const prediction = await predicted(posterior);
  claim(isDeepStrictEqual(await predicted(loaded), prediction), () => 'a posterior from a file predicts something else');
  checkPrediction(prediction);
  analysis.heads.forEach(({ likelihood }, i) => {
    const output = prediction._tag === 'several' ? prediction.outputs[HEAD_NAMES[i] as string] : prediction;
    if (likelihood._tag === 'categorical' && output?._tag === 'classification') checkSums(output.probabilities);
  });
  checkCovariances(await outputDistribution(model, loaded, only(x)));
}

/**
 * Whether sums of batches are those of the whole: `ekfac` sums along eigenvectors of its own data, and random labels are drawn anew for each
 * pass.
 */
const addsUp = ({ curvature }: Recipe): boolean =>
  curvature._tag !== 'ekfac' && !('fisher' in curvature && curvature.fisher._tag === 'monteCarlo');
