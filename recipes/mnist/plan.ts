/** How much of everything: the whole recipe, and a small one that tells the same story. */

export interface Plan {
  /** Units of the two hidden layers. */
  readonly hidden: number;
  /** Training images, from the first. */
  readonly training: number;
  /** Held-out images: the last of the training set, never trained on. The prior precision is chosen on them. */
  readonly heldOut: number;
  /** Test images, from the first. */
  readonly test: number;
  /** Test images, from the first, for the sweeps over sampled predictives. */
  readonly sweep: number;
  /** Test images, from the first, that are rotated and compared with themselves. */
  readonly rotated: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Prior precisions to choose from. */
  readonly precisions: ReadonlyArray<number>;
  /** Networks drawn for the sampled predictive on the whole test set. */
  readonly samples: number;
  /** What the sweeps go through. */
  readonly sampleCounts: ReadonlyArray<number>;
  readonly temperatures: ReadonlyArray<number>;
  /** Samples of the temperature sweep. */
  readonly sweepSamples: number;
  /** Degrees that test digits are rotated by. */
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
  precisions: [30, 100, 300, 1000, 3000],
  samples: 20,
  sampleCounts: [10, 20, 50, 100],
  temperatures: [0.1, 0.5, 1, 2],
  sweepSamples: 20,
  angles: [30, 60, 90],
};

/** Few images for many epochs: this network too is surer than it is right, and so has something to gain. */
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

/** Everything that is drawn, drawn from these. */
export const SEEDS = { weights: 1, shuffle: 2, sampling: 3, members: 4 } as const;
