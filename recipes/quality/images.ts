/** The images of the story: what the network learns from, what choices are made on, and what all is judged on. */
import { type Digits, parts, slice } from '../mnist/digits.js';
import { noise } from '../mnist/noise.js';
import { rotated } from '../mnist/rotate.js';
import { type Plan, SEEDS } from './plan.js';

/**
 * No image is in two of these sets, but `rotated` are the first of `test`, turned by `ANGLE`. The images for the guarantees are drawn from
 * the same images as those of the test: guarantees hold for images that are drawn alike. Other people wrote the training set of MNIST.
 */
export interface Images {
  readonly training: Digits;
  readonly validation: Digits;
  readonly guarantee: Digits;
  readonly test: Digits;
  readonly rotated: Digits;
  readonly noise: Digits;
}

/** Degrees, counter-clockwise. */
export const ANGLE = 90;

/**
 * Draws the images.
 *
 * @param training the training set of MNIST
 * @param test its test set
 */
export function imagesFor(
  plan: Plan,
  { training: all, test: others }: { readonly training: Digits; readonly test: Digits },
): Images {
  const [training, validation] = parts(all, [plan.training, plan.validation], SEEDS.images) as [Digits, Digits];
  const [guarantee, test] = parts(others, [plan.guarantee, plan.test], SEEDS.images) as [Digits, Digits];
  return {
    training,
    validation,
    guarantee,
    test,
    rotated: rotated(slice(test, 0, plan.foreign), ANGLE),
    noise: noise(plan.foreign, SEEDS.noise),
  };
}
