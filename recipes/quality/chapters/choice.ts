/** Chapter 2: what `tune` chose, and how good the tuned predictive is. */
import type { Tried } from 'tfjs-laplace';
import { tuningCurve } from 'tfjs-laplace/plugins/plots';
import { short, VERDICTS } from '../../mnist/choosing.js';
import { count } from '../../support/table.js';
import { type Found, type Method, THAT_OF, TITLES } from '../found.js';
import { type Chapter, picture, table, text } from '../story.js';
import { change, compared, comparedShares, differenceOf, scoreOf, share, withError } from '../words.js';

const METHODS: ReadonlyArray<Method> = ['map', 'mapAtBest', 'tuned'];

export function choice({ images, tuning, scores, overBest }: Found): Chapter {
  const { chosen, choices, network, candidates, predictive, verdict } = tuning;
  const isNetwork = predictive.temperature === 0;
  const heldOut = count(images.validation.count);
  const [nll, accuracy] = [differenceOf(overBest, 'nll'), differenceOf(overBest, 'accuracy')];
  const row = (name: string, own: Tried): ReadonlyArray<string> => [
    name,
    Number.isFinite(own.precision) ? short(own.precision) : '',
    own.scale.toFixed(2),
    own.criterion.toFixed(4),
    change(own.difference),
  ];
  return {
    title: 'The tuned posterior',
    gist: isNetwork
      ? `On the validation images no posterior was as good as the network, so its own predictions are used.`
      : `The rule 'widest' chose τ = ${short(chosen.precision)} and s = ${short(chosen.scale)}. ` +
        `On the test images its NLL is ${compared(differenceOf(scores.tuned, 'nll'), THAT_OF.map, 'nats')}, and ${compared(nll, THAT_OF.mapAtBest, 'nats')}.`,
    blocks: [
      text(
        'A trained network is one set of weights among many that explain the training images about as well.',
        'The Laplace approximation describes the others by a normal distribution around the trained weights. Its width follows from the curvature of the loss, which one pass over the training images measures, and from a prior.',
        'The prior precision τ says how far weights may lie from zero: the smaller τ, the wider the distribution, and the less sure the predictions.',
        'The linearised predictive averages over all these weights in closed form, without drawing any.',
      ),
      text(
        `How wide is right? tune tries ${candidates.length} precisions on the ${heldOut} validation images.`,
        'A wide distribution makes all predictions less sure. So for each τ the outputs are multiplied by a scale s, chosen on the same images.',
        "With it the NLL hardly depends on τ. The rule 'widest' makes use of that: of all τ whose NLL is within one standard error of the best it takes the least, but none below a thirtieth of the one that the evidence prefers, as long as one is left.",
        'A wide posterior helps most with images that are unlike the training images (chapter 5).',
      ),
      table(
        [`${heldOut} validation images`, 'τ', 's', 'NLL (nats)', 'NLL − best temperature'],
        [
          row("posterior, rule 'widest'", choices.widest),
          row("posterior, rule 'best'", choices.best),
          row("posterior, rule 'evidence'", choices.evidence),
          row(`network ${TITLES.mapAtBest}`, network.fitted),
          row(TITLES.map, network.plain),
        ],
      ),
      picture(
        'tuning',
        'Above: the NLL of the validation images over the prior precision, with the choice of each rule; dashed lines are the network as it is, and at its best temperature (fitted). Below: the scale that suits each precision.',
        () =>
          tuningCurve({
            title: 'Choice of the prior',
            subtitle: `${candidates.length} prior precisions on ${heldOut} validation images`,
            criterion: 'NLL (nats)',
            tuning,
          }),
      ),
      text(
        isNetwork
          ? `On the validation images the choice of the rule is ${VERDICTS.worse}: tune gives back the network with s = ${short(chosen.scale)}.`
          : `On the validation images the choice is ${VERDICTS[verdict]}.`,
        'What counts are the test images, which no choice has seen:',
      ),
      table(
        ['test images', 'accuracy', 'NLL (nats)', 'NLL − MAP'],
        METHODS.map((method) => [
          TITLES[method],
          share(scoreOf(scores[method], 'accuracy')),
          withError(scoreOf(scores[method], 'nll')),
          method === 'map' ? '' : change(differenceOf(scores[method], 'nll')),
        ]),
      ),
      text(
        `Image by image, the NLL of the tuned posterior is ${compared(nll, THAT_OF.mapAtBest, 'nats')}.`,
        `Its accuracy is ${comparedShares(accuracy, THAT_OF.map)}.`,
      ),
    ],
  };
}
