/** Factors of a network that is trained already, from one pass over the training images at fixed weights. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, type Factors, type OnProgress, observe, type Recipe } from 'tfjs-laplace';
import { batchesOf, type Digits } from './digits.js';
import { mnistRecipe } from './recipe.js';

/** @param analysis its likelihood and curvature are used; by default those of `mnistRecipe` */
export function passFactors(
  model: LayersModel,
  digits: Digits,
  batchSize: number,
  onProgress: OnProgress,
  analysis: Recipe = mnistRecipe,
): Promise<Factors> {
  const batches = batchesOf(digits, batchSize);
  return lastValueFrom(
    from(batches).pipe(observe(model, analysis), accumulateFactors(analysis, { onProgress, total: batches.length })),
  );
}
