/** The images of the benchmark: what a seed trains on, what it chooses on, and foreign images. */
import type * as tf from '@tensorflow/tfjs-core';
import { testSet, trainingSet } from '../../recipes/mnist/data.js';
import { batchesOf, type Digits, inputsOf, parts, pick, slice } from '../../recipes/mnist/digits.js';
import { noise } from '../../recipes/mnist/noise.js';
import { rotated } from '../../recipes/mnist/rotate.js';
import { permutation } from '../../recipes/support/random.js';

/** What one network is trained on, tuned on and judged on. */
export interface Images {
  readonly training: Digits;
  readonly validation: Digits;
  readonly test: Digits;
  /** Images of other kinds, by name. */
  readonly foreign: Readonly<Record<string, Digits>>;
}

/** Sizes of the sets. */
export interface Sizes {
  readonly training: number;
  readonly validation: number;
  readonly test: number;
  /** Images of each foreign kind. */
  readonly foreign: number;
}

const head = (digits: Digits, n: number): Digits => slice(digits, 0, Math.min(n, digits.count));

/** Every seed draws its own training and validation images. Foreign are test images rotated by 90 degrees, and noise. */
export function allClasses(seed: number, sizes: Sizes): Images {
  const [all, test] = [trainingSet(), testSet()];
  const [training, validation] = parts(all, [sizes.training, sizes.validation], 100 + seed) as [Digits, Digits];
  return {
    training,
    validation,
    test: head(test, sizes.test),
    foreign: { rotated: rotated(head(test, sizes.foreign), 90), noise: noise(sizes.foreign, 1000 + seed) },
  };
}

/** The two classes that a seed leaves out: five seeds leave out every class once. */
export const leftOut = (seed: number): readonly [number, number] => [(2 * seed) % 10, (2 * seed + 1) % 10];

/** As `allClasses`, without two classes. Their test images are the foreign ones. */
export function withoutTwo(seed: number, sizes: Sizes): Images {
  const [all, test] = [trainingSet(), testSet()];
  const out = leftOut(seed);
  const split = (digits: Digits, order: Uint32Array, wanted: boolean): Uint32Array =>
    order.filter((i) => out.includes(digits.labels[i] as number) !== wanted);
  const own = split(all, permutation(all.count, 100 + seed), true);
  const numbers = Uint32Array.from({ length: test.count }, (_, i) => i);
  return {
    training: pick(all, own.subarray(0, sizes.training)),
    validation: pick(all, own.subarray(sizes.training, sizes.training + sizes.validation)),
    test: head(pick(test, split(test, numbers, true)), sizes.test),
    foreign: { 'left out': head(pick(test, split(test, numbers, false)), sizes.foreign) },
  };
}

/** Images in a batch. The linearised predictive takes ten gradients of each. */
const BATCH = 128;

export const inputs = (digits: Digits): ReadonlyArray<() => tf.Tensor2D> => inputsOf(digits, BATCH);
export const labelled = (digits: Digits): ReturnType<typeof batchesOf> => batchesOf(digits, BATCH);
