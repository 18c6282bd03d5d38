/** A model and its posterior, trained elsewhere: loaded from a server, kept in the browser's store, and loaded again from there. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { type Posterior, predict } from 'tfjs-laplace';
import { loadPosterior, savePosterior } from 'tfjs-laplace/plugins/storage';

/** Variances of predictions, and what the store holds. */
export interface KeptAnswers {
  readonly fromServer: ReadonlyArray<number>;
  readonly fromStore: ReadonlyArray<number>;
  readonly keys: ReadonlyArray<string>;
  readonly metadata: unknown;
}

/** Inputs that every side predicts. */
export const inputs = (): tf.Tensor2D =>
  tf.tensor2d([
    [0.5, -1],
    [1, 2],
    [-0.3, 0.1],
  ]);

/** The total variances of the inputs' predictions, in one list. */
export async function variancesOf(model: tf.LayersModel, posterior: Posterior): Promise<number[]> {
  const x = inputs();
  const found = await lastValueFrom(from([x]).pipe(predict(model, posterior)));
  x.dispose();
  if (found._tag !== 'regression') throw new Error('a regression was expected');
  return found.totalVariance.flatMap((row) => [...row]);
}

export async function keptAnswers(server: string): Promise<KeptAnswers> {
  const model = await tf.loadLayersModel(`${server}/model.json`);
  const posterior = await loadPosterior(`${server}/model.json`, { model });
  const fromServer = await variancesOf(model, posterior);
  await savePosterior(posterior, 'indexeddb://kept', { model });
  const [modelAgain, posteriorAgain] = [await tf.loadLayersModel('indexeddb://kept'), await loadPosterior('indexeddb://kept')];
  return {
    fromServer,
    fromStore: await variancesOf(modelAgain, posteriorAgain),
    keys: Object.keys(await tf.io.listModels()),
    metadata: modelAgain.getUserDefinedMetadata(),
  };
}
