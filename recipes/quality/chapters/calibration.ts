/** Chapter 3: is a prediction that is 80 % sure right in 80 % of cases? */
import { calibration as binned, type Estimate, orThrow } from 'tfjs-laplace';
import { reliabilityDiagram } from 'tfjs-laplace/plugins/plots';
import { mean } from '../../mnist/scores.js';
import { count, percent } from '../../support/table.js';
import { type Found, type Method, NAMES, THAT_OF, TITLES } from '../found.js';
import { type Chapter, picture, table, text } from '../story.js';
import { comparedShares, differenceOf, isClear, scoreOf, share, shareChange } from '../words.js';

const METHODS: ReadonlyArray<Method> = ['map', 'mapAtBest', 'tuned'];

export function calibration({ images, predictions, scores, overBest }: Found): Chapter {
  const confidence = (method: Method): number => mean(predictions.test[method].probabilities.map((row) => Math.max(...row)));
  const bins = (method: Method) => orThrow(binned(predictions.test[method].probabilities, images.test.labels)).bins;
  const own = (method: Method): Estimate => differenceOf(scores[method], 'ece');
  const over = differenceOf(overBest, 'ece');
  return {
    title: 'Calibration',
    gist: `The ECE of the network is ${percent(scoreOf(scores.map, 'ece').value)}, at its best temperature ${percent(scoreOf(scores.mapAtBest, 'ece').value)}, and of the tuned posterior ${percent(scoreOf(scores.tuned, 'ece').value)}.`,
    blocks: [
      text(
        'Predictions are calibrated if those that are 80 % sure are right in 80 % of cases, and so for every other confidence.',
        'The picture puts predictions of about the same confidence together, and compares their confidence with the share that is right.',
        'Points below the diagonal are too sure of themselves.',
      ),
      picture(
        'reliability',
        'Reliability diagram: the share of right predictions over their confidence, of the network and of the tuned posterior. Below: how many predictions have each confidence.',
        () =>
          reliabilityDiagram({
            title: 'Confidence and accuracy',
            subtitle: `${count(images.test.count)} test images, 15 bins; vertical lines are 68 % intervals`,
            series: (['map', 'tuned'] as const).map((method) => ({ name: NAMES[method], bins: bins(method) })),
          }),
      ),
      table(
        ['test images', 'right', 'mean confidence', 'ECE', 'ECE − MAP', 'smooth ECE'],
        METHODS.map((method) => [
          TITLES[method],
          percent(scoreOf(scores[method], 'accuracy').value),
          percent(confidence(method)),
          share(scoreOf(scores[method], 'ece')),
          method === 'map' ? '' : shareChange(own(method)),
          share(scoreOf(scores[method], 'smoothEce')),
        ]),
      ),
      text(
        `The ECE of the tuned posterior is ${comparedShares(own('tuned'), THAT_OF.map)}, and ${comparedShares(over, THAT_OF.mapAtBest)}.`,
        isClear(over) ? '' : 'For calibration alone, the temperature is enough.',
        'The smooth ECE needs no bins; it should tell the same.',
      ),
    ],
  };
}
