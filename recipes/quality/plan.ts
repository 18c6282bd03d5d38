/** Sizes of the story: the full one, and a small one that shows the same effects. */
export interface Plan {
  /** Units of each of the two hidden layers. */
  readonly hidden: number;
  readonly epochs: number;
  /** Images that the network is trained on. They are few, so that it overfits. */
  readonly training: number;
  /** Images that temperature, prior precision and scale are chosen on. */
  readonly validation: number;
  /** Images that only the guarantees are fitted on: the threshold of abstaining, and the conformal sets. */
  readonly guarantee: number;
  /** Test images. */
  readonly test: number;
  /** How many of the test images, from the first, are rotated in chapter 5; as many images of noise are drawn. */
  readonly foreign: number;
  /** The largest share of wrong predictions that may be kept, and the probability that the threshold holds to it. */
  readonly risk: number;
  readonly confidence: number;
  /** The probabilities with which conformal sets hold the right class. The picture shows the last. */
  readonly levels: ReadonlyArray<number>;
  /** Resamples of the bootstrap behind standard errors. */
  readonly resamples: number;
}

const FULL: Plan = {
  hidden: 256,
  epochs: 10,
  training: 6000,
  validation: 1000,
  guarantee: 3000,
  test: 7000,
  foreign: 2000,
  risk: 0.01,
  confidence: 0.95,
  levels: [0.9, 0.95, 0.99],
  resamples: 100,
};

const QUICK: Plan = { ...FULL, guarantee: 1000, test: 2000, foreign: 500, risk: 0.02, resamples: 50 };

export const planFor = ({ quick }: { readonly quick: boolean }): Plan => (quick ? QUICK : FULL);

/** The seeds of everything that is random. */
export const SEEDS = { images: 101, weights: 1, order: 1, noise: 1001, bootstrap: 0 } as const;
