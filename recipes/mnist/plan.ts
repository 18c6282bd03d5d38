/** Sizes of the recipe: the full one, and a small one that shows the same effects. */

/** All numbers of images, samples and epochs. */
export interface Plan {
  /** Units of each of the two hidden layers. */
  readonly hidden: number;
  /** Number of training images, from the first. */
  readonly training: number;
  /** Number of held-out images: the last of the training set. They are not trained on; the prior precision and the scale are chosen on them. */
  readonly heldOut: number;
  /** Number of test images, from the first. */
  readonly test: number;
  /** Number of test images, from the first, for the sweeps over samples and temperatures. */
  readonly sweep: number;
  /** Number of test images, from the first, that are rotated and compared with the upright ones. */
  readonly rotated: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Number of networks drawn for the sampled predictive on the whole test set. */
  readonly samples: number;
  /** Numbers of samples that the first sweep compares. */
  readonly sampleCounts: ReadonlyArray<number>;
  /** Temperatures that the second sweep compares. */
  readonly temperatures: ReadonlyArray<number>;
  /** Number of samples in the temperature sweep. */
  readonly sweepSamples: number;
  /** Angles by which test digits are rotated, in degrees. */
  readonly angles: ReadonlyArray<number>;
}

const FULL: Plan = {
  hidden: 1200,
  training: 57_000,
  heldOut: 3000,
  test: 10_000,
  sweep: 300,
  rotated: 2000,
  epochs: 2,
  batchSize: 128,
  samples: 20,
  sampleCounts: [10, 20, 50, 100],
  temperatures: [0.1, 0.5, 1, 2],
  sweepSamples: 20,
  angles: [30, 60, 90],
};

/**
 * Few images and many epochs. So this network is overconfident like the large one, and its posterior has something to improve.
 */
const QUICK: Plan = {
  ...FULL,
  hidden: 256,
  training: 6000,
  heldOut: 1000,
  test: 2000,
  sweep: 200,
  rotated: 1000,
  epochs: 10,
};

export const planFor = ({ quick }: { readonly quick: boolean }): Plan => (quick ? QUICK : FULL);

/** The seeds of everything that is random. */
export const SEEDS = { weights: 1, shuffle: 2, sampling: 3, members: 4 } as const;
