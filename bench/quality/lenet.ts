/** A LeNet with batch normalisation on 6,000 images, 10 epochs, with the truncated Fisher: the second architecture of bar 2. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { kfac, truncated } from 'tfjs-laplace';
import { createLenet } from '../../recipes/lenet/network.js';
import { trainOn } from '../../recipes/mnist/plainTraining.js';
import { allClasses, type Images, withoutTwo } from './images.js';
import { choicesOf, linearisedBy, tunedPosterior, tunedPredictive } from './laplace.js';
import { MAP_T, ofNetwork, scored, TUNED } from './perceptrons.js';
import { CLASSES, gains, mean, noWorse, type Part, type Seeds, tableOf, tell, together } from './scores.js';

/** The linearised predictive of a convolution costs more than that of a dense layer, so fewer images are predicted. */
const SIZES = { training: 6000, validation: 1000, test: 4000, foreign: 1000 };
const EPOCHS = 10;

async function ofSeed(seed: number, images: Images): Promise<Seeds[number]> {
  const model: LayersModel = createLenet({ seed });
  await trainOn(model, images.training, { epochs: EPOCHS, seed, batchSize: 64 });
  const tuned = await tunedPosterior(model, images, kfac({ fisher: truncated() }));
  tell(`LeNet, seed ${seed}: ${choicesOf(tuned)}`);
  const own = [
    ...ofNetwork(model, images),
    tunedPredictive(model, tuned, TUNED),
    linearisedBy('best', model, tuned, 'linearised, best'),
    linearisedBy('evidence', model, tuned, 'linearised, evidence'),
  ];
  const found = await scored(own, images);
  model.dispose();
  return found;
}

export async function lenet(seeds: ReadonlyArray<number>): Promise<Part> {
  const found: Array<Seeds[number]> = [];
  for (const seed of seeds) {
    const whole = await ofSeed(seed, allClasses(seed, SIZES));
    found.push(together(whole, await ofSeed(seed, withoutTwo(seed, SIZES))));
  }
  return {
    tables: [tableOf(`LeNet on 6,000 images, truncated Fisher, 4,000 test images, ${seeds.length} seeds`, found, CLASSES)],
    bars: [
      {
        name: `2. LeNet: AUROC of rotated digits, above ${MAP_T}`,
        value: mean(gains(found, 'rotated', TUNED, MAP_T)),
        limit: 0.02,
        atMost: false,
      },
      noWorse(`2. LeNet: NLL, ${TUNED} less ${MAP_T}`, gains(found, 'nll', TUNED, MAP_T)),
    ],
    notes: [],
  };
}
