/** The work behind the story: training, posterior, tuning, predictions and scores. All that follows is a function of what is found here. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { concatMap, from, lastValueFrom, of, toArray } from 'rxjs';
import {
  categorical,
  type EvaluatedMetric,
  evaluate,
  kfac,
  linearised,
  orThrow,
  type Posterior,
  recipe,
  type Tuning,
  toPosterior,
  tune,
} from 'tfjs-laplace';
import type { TerminalProgress } from 'tfjs-laplace/plugins/progress';
import { batchesOf } from '../mnist/digits.js';
import { createNetwork } from '../mnist/network.js';
import { passFactors } from '../mnist/observing.js';
import { trainOn } from '../mnist/plainTraining.js';
import { BATCH, networkPredictions, type Predictions, posteriorPredictions, rescaled } from '../mnist/predictions.js';
import { count } from '../support/table.js';
import type { Images } from './images.js';
import { type Plan, SEEDS } from './plan.js';

/** The analysis as a value: the exact Fisher of all layers, and the widest posterior that the validation images allow. */
const analysis = recipe({
  likelihood: categorical(),
  curvature: kfac(),
  predictive: linearised(),
  tuning: { rule: 'widest' },
});

/** The trained network as it is, at its best temperature, and the linearised predictive of the tuned posterior. */
export type Method = 'map' | 'mapAtBest' | 'tuned';
export type ByMethod<A> = Readonly<Record<Method, A>>;

/** What sentences call the methods. */
export const NAMES: ByMethod<string> = {
  map: 'the network',
  mapAtBest: 'the network at its best temperature',
  tuned: 'the tuned posterior',
};

/** What tables call them. */
export const TITLES: ByMethod<string> = {
  map: 'network (MAP)',
  mapAtBest: 'at its best temperature',
  tuned: 'tuned posterior',
};

/** What a number of the first two is called behind one of the third: 'the NLL is lower than …'. */
export const THAT_OF = { map: `that of ${NAMES.map}`, mapAtBest: `that of ${NAMES.mapAtBest}` } as const;

/** The images that all methods predict. */
export const GROUPS = ['guarantee', 'test', 'rotated', 'noise'] as const satisfies ReadonlyArray<keyof Images>;
export type Group = (typeof GROUPS)[number];

const IMAGES: Readonly<Record<Group, string>> = {
  guarantee: 'images for the guarantees',
  test: 'test images',
  rotated: 'rotated test images',
  noise: 'images of noise',
};

/** The scores of a predictive on the test images by their names, each beside the same score of the baseline. */
export type Scores = Readonly<Record<string, EvaluatedMetric>>;

export interface Found {
  readonly plan: Plan;
  readonly images: Images;
  /** The number of weights and biases. */
  readonly parameters: number;
  /** Mean loss of the last epoch, in nats. */
  readonly trainingLoss: number;
  readonly tuning: Tuning;
  readonly predictions: Readonly<Record<Group, ByMethod<Predictions>>>;
  /** Scores of each method. Those of the last two are paired against the network as it is. */
  readonly scores: ByMethod<Scores>;
  /** The scores of the tuned predictive, paired against the network at its best temperature. */
  readonly overBest: Scores;
}

/** Does the work. The network is freed at the end: what is returned lies on the host. */
export async function find(plan: Plan, images: Images, progress: TerminalProgress): Promise<Found> {
  const model = createNetwork(plan.hidden, { seed: SEEDS.weights });
  try {
    const trainingLoss = await train(model, plan, images, progress);
    const posterior = await observed(model, images, progress);
    const tuning = await progress.step(`Tuning the posterior on ${count(plan.validation)} validation images`, (onProgress) =>
      tune(model, posterior, batchesOf(images.validation, BATCH), analysis, { onProgress }),
    );
    const predictions = await predicted(model, tuning, images, progress);
    const scores = await scored(plan, images, predictions.test, progress);
    return { plan, images, parameters: model.countParams(), trainingLoss, tuning, predictions, ...scores };
  } finally {
    model.optimizer.dispose();
    model.dispose();
  }
}

const train = (model: LayersModel, { hidden, epochs }: Plan, { training }: Images, progress: TerminalProgress): Promise<number> =>
  progress.step(`Training 784-${hidden}-${hidden}-10 on ${count(training.count)} images, ${epochs} epochs`, (onProgress) =>
    trainOn(model, training, { epochs, seed: SEEDS.order }, (done) =>
      onProgress({ phase: 'train', done, total: epochs, unit: 'epochs' }),
    ),
  );

/** The posterior from one pass over the training images. */
const observed = (model: LayersModel, { training }: Images, progress: TerminalProgress): Promise<Posterior> =>
  progress.step('One pass over the training images for the curvature, and its decomposition', async (onProgress) => {
    const factors = await passFactors(model, training, BATCH, onProgress, analysis);
    return lastValueFrom(of(factors).pipe(toPosterior(analysis)));
  });

/** The predictions of all methods for all groups, one group after another. */
const predicted = (
  model: LayersModel,
  { posterior, predictive, network }: Tuning,
  images: Images,
  progress: TerminalProgress,
): Promise<Found['predictions']> =>
  lastValueFrom(
    from(GROUPS).pipe(
      concatMap(async (group) => {
        const digits = images[group];
        const map = await networkPredictions(model, digits);
        const tuned = await progress.step(`Predicting ${count(digits.count)} ${IMAGES[group]}`, (onProgress) =>
          posteriorPredictions(model, posterior, predictive, digits, onProgress),
        );
        return [group, { map, mapAtBest: rescaled(map, network.fitted.scale), tuned }] as const;
      }),
      toArray(),
    ),
  ).then((all) => Object.fromEntries(all) as unknown as Found['predictions']);

/** What the metrics read of predictions. */
export const classified = ({ probabilities, entropy, mutualInformation }: Predictions) =>
  ({ _tag: 'classification', probabilities, entropy, mutualInformation }) as const;

/** Scores each method on the test images. The bootstrap behind some standard errors takes seconds. */
async function scored(
  { resamples }: Plan,
  { test: { labels } }: Images,
  { map, mapAtBest, tuned }: ByMethod<Predictions>,
  progress: TerminalProgress,
): Promise<Pick<Found, 'scores' | 'overBest'>> {
  const against = (own: Predictions, other?: Predictions): Scores => {
    const baseline = other && { baseline: classified(other) };
    const { metrics } = orThrow(evaluate(classified(own), labels, { ...baseline, resamples, seed: SEEDS.bootstrap }));
    return Object.fromEntries(metrics.map((metric) => [metric.name, metric]));
  };
  const score = (title: string, own: Predictions, other?: Predictions): Promise<Scores> =>
    progress.step(`Scoring ${title}`, () => against(own, other));
  return {
    scores: {
      map: await score(NAMES.map, map),
      mapAtBest: await score(`${NAMES.mapAtBest}, beside the network`, mapAtBest, map),
      tuned: await score(`${NAMES.tuned}, beside the network`, tuned, map),
    },
    overBest: await score(`${NAMES.tuned}, beside ${NAMES.mapAtBest}`, tuned, mapAtBest),
  };
}
