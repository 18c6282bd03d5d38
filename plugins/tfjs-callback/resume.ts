/** Whether a training goes on where the epochs of a checkpoint have ended. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Factors, fingerprint } from 'tfjs-laplace';
import { type KeptEpochs, keptEpochs, laplaceError, type TrainingCheckpoint } from 'tfjs-laplace/extend';

/**
 * The epochs with which a training goes on; undefined if none were kept. Rejects with `Mismatch` if the training begins at another epoch,
 * or the model has other weights than at the end of the last epoch.
 *
 * @param first the number of the epoch with which the training begins, from 0
 */
export async function resumed(
  checkpoint: TrainingCheckpoint | undefined,
  model: LayersModel,
  first: number,
): Promise<KeptEpochs | undefined> {
  const kept = checkpoint && (await keptEpochs(checkpoint));
  if (kept === undefined) return undefined;
  if (first !== kept.epoch + 1) throw anotherEpoch(first, kept.epoch);
  const [found, expected] = [await fingerprint(model), (kept.window.at(-1) as Factors).fingerprint];
  if (found !== expected) throw otherWeights(found, expected, kept.epoch);
  return kept;
}

const anotherEpoch = (first: number, last: number) =>
  laplaceError('Mismatch', {
    what: 'The checkpoint is that of a training which is to go on at another epoch',
    field: 'initialEpoch',
    found: `initialEpoch: ${first}`,
    expected: `initialEpoch: ${last + 1}, since ${last + 1} ${last === 0 ? 'epoch has' : 'epochs have'} ended`,
    remedy: 'Give fit this initialEpoch. For a new training remove the checkpoint, or keep another one.',
  });

const otherWeights = (found: string, expected: string, epoch: number) =>
  laplaceError('Mismatch', {
    what: 'The checkpoint is that of other weights',
    field: 'fingerprint',
    found,
    expected,
    remedy: `Give the model the weights that it had at the end of epoch ${epoch} (counted from 0). For a new training remove the checkpoint.`,
  });
