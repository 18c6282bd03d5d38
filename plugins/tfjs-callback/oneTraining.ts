/** A callback observes one training at a time: tfjs does not tell its hooks which model they are called for. */
import { Callback, type LayersModel } from '@tensorflow/tfjs-layers';
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';

/** The training that a callback was given last. */
export interface Given {
  readonly model: LayersModel;
  readonly params: Callback['params'];
}

/**
 * A callback that refuses a second training while the first is going on. tfjs hands over the parameters and the model in one go, and
 * begins to train later: by then another `fit` may have put its own in their place.
 */
export abstract class OneTraining extends Callback {
  protected given: Given | undefined;

  /** @throws LaplaceError `NotReady` while the callback is in use. `fit` then rejects with it. */
  override setModel(model: Parameters<Callback['setModel']>[0]): void {
    const next = model as LayersModel;
    const { given, params } = this;
    // A model that tfjs trains again has ended its former training, unless the parameters are those of the same one.
    if (given !== undefined && isTraining(given.model) && (given.model !== next || given.params === params)) {
      throw inUse(given.model, next);
    }
    this.given = { model: next, params };
    super.setModel(model);
  }
}

/** tfjs keeps this to itself, and sets it to false at every end of `fit`. */
const isTraining = (model: LayersModel): boolean => (model as unknown as { readonly isTraining: boolean }).isTraining;

const inUse = (observed: LayersModel, next: LayersModel): LaplaceError =>
  laplaceError('NotReady', {
    what: `The callback is already in use for the training of model '${observed.name}'`,
    found:
      observed === next ? 'the same callback twice in one list' : `a second training, of model '${next.name}', at the same time`,
    expected: 'one training at a time',
    remedy: 'Make a callback for each training, or await the first fit before the second.',
  });
