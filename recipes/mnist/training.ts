/** Trains the network with the callback attached, so that training yields weights and curvature together. */
import { CustomCallback, type LayersModel, type ModelFitDatasetArgs } from '@tensorflow/tfjs-layers';
import { lastValueFrom } from 'rxjs';
import type { Factors, OnProgress } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { permutation } from '../support/random.js';
import { type Digits, tensors } from './digits.js';
import { type Plan, SEEDS } from './plan.js';
import { mnistRecipe } from './recipe.js';

type Batch = ReturnType<typeof tensors>;

/** The results of training, besides the weights. */
export interface Trained {
  /** Factors accumulated in the last epoch, while the weights moved. */
  readonly factors: Factors;
  /** Mean training loss of each epoch, in nats. */
  readonly losses: ReadonlyArray<number>;
}

/** Trains the network in place, as `fit` would. Progress counts training steps. */
export async function trainNetwork(model: LayersModel, digits: Digits, plan: Plan, onProgress: OnProgress): Promise<Trained> {
  const steps = Math.ceil(digits.count / plan.batchSize);
  const losses = new Array<number>(plan.epochs).fill(0);
  let done = 0;
  const progress = new CustomCallback({
    onBatchEnd: async (_, logs) => {
      const epoch = Math.floor(done / steps);
      losses[epoch] = (losses[epoch] as number) + ((logs?.loss as number) * (logs?.size as number)) / digits.count;
      done += 1;
      onProgress({ phase: 'train', done, total: steps * plan.epochs, unit: 'steps', detail: `epoch ${epoch + 1}` });
    },
  });
  const curvature = laplaceCallback(mnistRecipe);
  // Subscribes before training, so that an error of the observation is not lost. It surfaces where the factors are awaited.
  const factors = lastValueFrom(curvature.factors$);
  factors.catch(() => {});
  await model.fitDataset(shuffledBatches(digits, plan, steps) as never, {
    epochs: plan.epochs,
    batchesPerEpoch: steps,
    verbose: 0,
    callbacks: [curvature, progress] as NonNullable<ModelFitDatasetArgs<never>['callbacks']>,
  });
  return { factors: await factors, losses };
}

/**
 * The training set in a new order every epoch, as a data set for `fitDataset`. The orders come from a seed, whereas `fit`
 * shuffles with `Math.random`, which has none. `fitDataset` disposes the tensors.
 */
function shuffledBatches(digits: Digits, { batchSize, epochs }: Plan, steps: number) {
  function* batches(): Generator<{ xs: Batch['x']; ys: Batch['y'] }, undefined> {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = permutation(digits.count, 1000 * SEEDS.shuffle + epoch);
      for (let step = 0; step < steps; step++) {
        const { x, y } = tensors(digits, order.subarray(step * batchSize, (step + 1) * batchSize));
        yield { xs: x, ys: y };
      }
    }
    return undefined;
  }
  return {
    size: steps * epochs,
    iterator: async () => {
      const source = batches();
      return { next: async () => source.next() };
    },
  };
}
