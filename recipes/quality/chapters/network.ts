/** Chapter 1: the network alone, and at its best temperature. */
import { correctness, orThrow } from 'tfjs-laplace';
import { short } from '../../mnist/choosing.js';
import { mean } from '../../mnist/scores.js';
import { count, percent } from '../../support/table.js';
import { type Found, TITLES } from '../found.js';
import { type Chapter, table, text } from '../story.js';
import { compared, comparedShares, differenceOf, scoreOf, share, withError } from '../words.js';

/** A prediction this sure leaves no doubt to its reader. */
const SURE = 0.9;

export function network({ plan, images, parameters, trainingLoss, tuning, predictions, scores }: Found): Chapter {
  const { map } = predictions.test;
  const confidences = map.probabilities.map((row) => Math.max(...row));
  const right = orThrow(correctness(map.probabilities, images.test.labels));
  const wrong = confidences.filter((_, b) => right[b] === 0);
  const [confidence, accuracy] = [mean(confidences), mean(right)];
  const temperature = short(1 / tuning.network.fitted.scale);
  const nll = scoreOf(scores.map, 'nll').value;
  const [lower, calibrated] = [differenceOf(scores.mapAtBest, 'nll'), differenceOf(scores.mapAtBest, 'ece')];
  return {
    title: 'The network alone',
    gist:
      `The network is right in ${percent(accuracy, 1)} of the test images and ${percent(confidence, 1)} sure on average. ` +
      `A temperature of ${temperature} changes its NLL from ${nll.toFixed(4)} to ${scoreOf(scores.mapAtBest, 'nll').value.toFixed(4)} nats.`,
    blocks: [
      text(
        `The network has layers of 784, ${plan.hidden}, ${plan.hidden} and 10 units: ${count(parameters)} weights.`,
        `It has seen ${count(images.training.count)} images of handwritten digits, each ${plan.epochs} times.`,
        'Training has looked for the weights that are the most probable given these images (maximum a posteriori, MAP).',
        `In the last epoch its mean loss was ${trainingLoss.toFixed(3)} nats.`,
        `On ${count(images.test.count)} test images, which it has never seen, the same loss is ${nll.toFixed(3)} nats.`,
        nll > 2 * trainingLoss ? 'It has learned its few images by heart: it overfits.' : 'It hardly overfits.',
      ),
      text(
        `It is right in ${percent(accuracy, 1)} of the test images, and ${percent(confidence, 1)} sure on average.`,
        `Of the ${count(wrong.length)} predictions that are wrong, ${count(wrong.filter((p) => p >= SURE).length)} are made with a probability of ${percent(SURE, 0)} or more.`,
      ),
      text(
        'The simplest remedy is a temperature: all outputs before the softmax are divided by one number.',
        `On ${count(images.validation.count)} validation images the best temperature is ${temperature}.`,
        'It never changes which class is the likeliest, so the accuracy stays. It only changes how sure the network is.',
      ),
      table(
        ['test images', 'accuracy', 'NLL (nats)', 'ECE'],
        (['map', 'mapAtBest'] as const).map((method) => [
          TITLES[method],
          share(scoreOf(scores[method], 'accuracy')),
          withError(scoreOf(scores[method], 'nll')),
          share(scoreOf(scores[method], 'ece')),
        ]),
      ),
      text(
        'NLL is the mean negative logarithm of the probability that the right class was given: 0 is perfect, and a wrong class that was thought certain costs most.',
        'ECE, the expected calibration error, is the mean distance between how sure predictions are and how often they are right.',
        'Lower is better for both. Behind ± is one standard error: test images drawn anew would give a number about that far away.',
      ),
      text(
        `Compared image by image, the NLL at the best temperature is ${compared(lower, 'that of the network as it is', 'nats')}.`,
        `Its ECE is ${comparedShares(calibrated, 'that of the network as it is')}.`,
        'All that follows has to be better than this network at its best temperature, which costs next to nothing.',
      ),
    ],
  };
}
