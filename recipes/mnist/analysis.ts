/** The whole recipe, in order: data, network, factors, posterior, choice of the prior, six questions, and pictures. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { lastValueFrom, of } from 'rxjs';
import { type Factors, type Matrix, type Posterior, type Predictive, type Tuning, toPosterior } from 'tfjs-laplace';
import { count } from '../support/table.js';
import { choosePrior, chooseScale, precisionOf, showChoice, under } from './choosing.js';
import { compare } from './compare.js';
import { testSet, trainingSet } from './data.js';
import { detection } from './detection.js';
import { type Digits, slice } from './digits.js';
import { members } from './members.js';
import { createNetwork } from './network.js';
import { passFactors } from './observing.js';
import { onlineAgainstPass } from './online.js';
import { pictures } from './pictures.js';
import { networkPredictions, posteriorPredictions, rescaled } from './predictions.js';
import { mnistRecipe } from './recipe.js';
import type { Desk, Results } from './run.js';
import { testDigits } from './scores.js';
import { loadModel, saveModel } from './store.js';
import { sweeps } from './sweeps.js';
import { trainNetwork } from './training.js';
import { uncertain } from './uncertain.js';

/** Folders of models: `pretrained` is loaded instead of training, `save` receives the trained network. */
export interface Folders {
  readonly pretrained?: string;
  readonly save?: string;
}

/**
 * Runs the whole recipe.
 *
 * @returns paths of the pictures
 */
export async function analyse(desk: Desk, folders: Folders): Promise<ReadonlyArray<string>> {
  const { plan, report, progress } = desk;
  const all = await progress.step('Reading MNIST', () => trainingSet());
  const training = slice(all, 0, plan.training);
  const heldOut = slice(all, all.count - plan.heldOut, all.count);
  const test = slice(testSet(), 0, plan.test);
  report.note(
    `Training images 1 to ${count(plan.training)}; held out: the last ${count(plan.heldOut)} of ${count(all.count)}; ` +
      `the first ${count(plan.test)} test images.`,
  );

  const { model, online } = await network(desk, training, folders);
  const pass = await progress.step('Observing the training images at the final weights', (onProgress) =>
    passFactors(model, training, plan.batchSize, onProgress),
  );
  const broad = await decomposed(desk, online ?? pass);
  const choice = await progress.step('Choosing prior precision and scale on the held-out images', (onProgress) =>
    choosePrior(model, broad, heldOut, onProgress),
  );
  showChoice(report, choice, heldOut);

  const { posterior, predictive, network: tried } = choice.tuning;
  const predict = (given: Posterior, by: Predictive, title: string) =>
    progress.step(`${title}, ${testDigits(test)}`, (onProgress) => posteriorPredictions(model, given, by, test, onProgress));
  const map = await networkPredictions(model, test);
  const results: Results = {
    model,
    choice,
    posterior,
    predictive,
    unscaled: under(broad, choice.unscaled.precision),
    training,
    test,
    map,
    mapAtBest: rescaled(map, tried.fitted.scale),
    linearised: await predict(posterior, predictive, 'Linearised predictive'),
  };

  const sampled = await compare(desk, results);
  await sweeps(desk, results);
  const groups = await detection(desk, results);
  await members(desk, results);
  const most = uncertain(desk, results);
  if (online === undefined) {
    report.heading('6. Factors of the last epoch against factors of a pass');
    report.result('Left out: the network was loaded, so its training was not observed.');
  } else {
    const own = await passTuned(desk, results, await decomposed(desk, pass), heldOut);
    const predictions = await predict(own.posterior, own.predictive, "Linearised predictive with the pass's factors");
    onlineAgainstPass(desk, results, { online, pass, predictive: own.predictive, predictions });
  }
  return progress.step('Drawing', () => pictures(desk, results, { sampled, groups, most, heldOut }));
}

/** The posterior of the pass at the prior precision that was chosen for the last epoch, and the scale that suits it. */
const passTuned = ({ progress }: Desk, { model, posterior }: Results, ofPass: Posterior, heldOut: Digits): Promise<Tuning> =>
  progress.step("Choosing the scale for the pass's factors on the held-out images", (onProgress) =>
    chooseScale(model, under(ofPass, precisionOf(posterior)), heldOut, onProgress),
  );

/** Loads or trains the network. `online` holds the factors of the last epoch, if the network was trained here. */
async function network(
  { plan, report, progress }: Desk,
  training: Digits,
  { pretrained, save }: Folders,
): Promise<{ readonly model: LayersModel; readonly online?: Factors }> {
  if (pretrained !== undefined) {
    const model = await loadModel(pretrained);
    report.note(
      `Loaded the network from ${pretrained}. If it was trained on the held-out images, the chosen prior precision is too high.`,
    );
    return { model };
  }
  const model = createNetwork(plan.hidden);
  const title = `Training 784-${plan.hidden}-${plan.hidden}-10, ${plan.epochs} epochs, observing the last`;
  const { factors, losses } = await progress.step(title, (onProgress) => trainNetwork(model, training, plan, onProgress));
  report.note(`Training loss by epoch: ${losses.map((loss) => loss.toFixed(4)).join(', ')} nats`);
  if (save !== undefined) {
    await saveModel(model, save);
    report.note(`Saved the network in ${save}`);
  }
  return { model, online: factors };
}

const decomposed = ({ report, progress }: Desk, factors: Factors): Promise<Posterior> =>
  progress.step('Decomposing the factors', async (onProgress) => {
    const { prior, damping, layers } = mnistRecipe;
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ prior, damping, layers, onProgress })));
    for (const { name, n, m, structure, parts } of posterior.layers) {
      if (structure !== 'kronecker') continue;
      const largest = ({ data }: Matrix): string => (data.at(-1) ?? 0).toExponential(2);
      const [A, G] = [largest(parts.inputValues), largest(parts.gradientValues)];
      report.detail(`${name} ${n} x ${m}: largest eigenvalues ${A} of A, ${G} of G`);
    }
    return posterior;
  });
