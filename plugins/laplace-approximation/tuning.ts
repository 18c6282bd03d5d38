/** Tunes a posterior on validation data, after a check that comes before the work of training or of a pass. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  batches,
  isLaplaceError,
  type OnProgress,
  orThrow,
  type Posterior,
  type Tuning,
  type TuningChoices,
  tune,
} from 'tfjs-laplace';
import { laplaceError, type Network, ownBatch, ownInputs } from 'tfjs-laplace/extend';
import type { Data } from './options.js';

/**
 * Throws what is wrong with validation data at once: `tune` would say so only when the model is trained. A tuning without data is
 * refused, since it would do nothing.
 */
export function checkValidation(
  method: string,
  network: Network,
  tuning: TuningChoices | undefined,
  data: Data | undefined,
): void {
  if (data === undefined) {
    if (tuning === undefined) return;
    throw laplaceError('InvalidOption', {
      what: `${method} has no validation data, which the tuning of laplaceApproximation(model, { …, tuning }) needs`,
      field: 'validation',
      found: 'nothing',
      expected: 'examples { x, y } that the model was not trained on',
      remedy:
        `Give them: ${method}(data, { validation: { x, y } }). Or leave out the option tuning. tfjs's own validationData and ` +
        'validationSplit tune nothing.',
    });
  }
  const N = sizeOf(network, data);
  if (N >= 2) return;
  throw laplaceError('Empty', {
    what: `${method}: there are too few validation examples`,
    field: 'validation',
    found: `${N} example`,
    expected: 'at least 2, so that differences have a standard error',
  });
}

/** The number of examples. Throws `InvalidInput` or `InvalidLabels`, which say that the validation data are meant. */
function sizeOf(network: Network, data: Data): number {
  try {
    const { x, y } = orThrow(ownBatch(network, data.x, data.y));
    const N = x[0]?.shape[0] as number;
    tf.dispose([x, y]);
    return N;
  } catch (error) {
    if (!isLaplaceError(error)) throw error;
    const { kind, field, found, expected, remedy } = error;
    throw laplaceError(kind, {
      what: 'The validation data do not fit the model',
      field: `validation.${field ?? 'x'}`,
      ...(found !== undefined && { found }),
      ...(expected !== undefined && { expected }),
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}

/** What tuning takes beside a posterior. */
export interface Validation {
  readonly data: Data;
  readonly batchSize: number;
  readonly tuning: TuningChoices | undefined;
  readonly onProgress: OnProgress;
}

/** Tunes on validation data. Rejects with the errors of `tune`. */
export async function tunedOn(
  model: LayersModel,
  network: Network,
  posterior: Posterior,
  { data, batchSize, tuning, onProgress }: Validation,
): Promise<Tuning> {
  const x = orThrow(ownInputs(network, data.x));
  try {
    return await tune(model, posterior, batches({ x, y: data.y }, batchSize), tuning, { onProgress });
  } finally {
    tf.dispose(x);
  }
}

/** Whether the trained network itself was better than every posterior. */
export const isNetwork = ({ predictive }: Tuning): boolean => predictive.temperature === 0;

/** One line about a tuning. */
export function lineOf(tuning: Tuning): string {
  const { chosen, network, verdict } = tuning;
  const { precision, scale, temperature, noiseVariance, criterion } = chosen;
  const own = Math.min(network.plain.criterion, network.fitted.criterion);
  const numbers = [
    isNetwork(tuning) ? 'the trained network itself' : `prior precision ${short(precision)}`,
    ...(scale === 1 ? [] : [`scale ${short(scale)}`]),
    ...(temperature === 1 ? [] : [`temperature ${short(temperature)}`]),
    ...(noiseVariance === undefined ? [] : [`noise variance ${[noiseVariance].flat().map(short).join(', ')}`]),
  ];
  return `tuned: ${numbers.join(', ')}; criterion ${short(criterion)}, the trained network's ${short(own)} (${verdict})`;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
