/** Chapter 5: does the uncertainty notice images that are unlike the training images? */
import {
  type DetectionEvaluation,
  type DetectionLine,
  evaluateDetection,
  orThrow,
  predictedClasses,
  rocCurve,
} from 'tfjs-laplace';
import { gallery, rocCurves } from 'tfjs-laplace/plugins/plots';
import { image, SIDE } from '../../mnist/digits.js';
import { mean } from '../../mnist/scores.js';
import { count, percent } from '../../support/table.js';
import { classified, type Found, type Method, NAMES, THAT_OF, TITLES } from '../found.js';
import { ANGLE } from '../images.js';
import { SEEDS } from '../plan.js';
import { type Block, type Chapter, picture, table, text } from '../story.js';
import { compared, withError } from '../words.js';

const GROUPS = ['rotated', 'noise'] as const;
type Foreign = (typeof GROUPS)[number];

const FOREIGN: Readonly<Record<Foreign, string>> = { rotated: `digits rotated by ${ANGLE}°`, noise: 'noise' };

/** What may tell that an image is foreign: a score of one of the methods. */
interface Score {
  readonly name: string;
  readonly method: Method;
  readonly field: 'entropy' | 'mutualInformation';
}

const SCORES: ReadonlyArray<Score> = [
  { name: `entropy, ${TITLES.map}`, method: 'map', field: 'entropy' },
  { name: `entropy, network ${TITLES.mapAtBest}`, method: 'mapAtBest', field: 'entropy' },
  { name: `entropy, ${TITLES.tuned}`, method: 'tuned', field: 'entropy' },
  { name: `mutual information, ${TITLES.tuned}`, method: 'tuned', field: 'mutualInformation' },
];

/** The scores that the pictures show. */
const DRAWN = SCORES.filter(({ method }) => method !== 'mapAtBest');

/** The test images that stay upright: those that are not among the rotated ones. */
const upright = ({ plan }: Found, values: ArrayLike<number>): ReadonlyArray<number> => Array.from(values).slice(plan.foreign);

/** How well the scores of a method tell foreign images, beside another method. */
function told(found: Found, group: Foreign, method: Method, baseline?: Method): DetectionEvaluation {
  const { predictions, plan } = found;
  const groups = (own: Method) => {
    const { probabilities, entropy, mutualInformation } = classified(predictions.test[own]);
    const inside = {
      _tag: 'classification' as const,
      probabilities: probabilities.slice(plan.foreign),
      entropy: upright(found, entropy),
      mutualInformation: upright(found, mutualInformation),
    };
    return { inside: { prediction: inside }, outside: { prediction: classified(predictions[group][own]) } };
  };
  const beside = baseline && { baseline: groups(baseline) };
  const options = { scores: ['entropy', 'mutualInformation'] as const, resamples: plan.resamples, seed: SEEDS.bootstrap };
  return orThrow(evaluateDetection(groups(method), { ...options, ...beside }));
}

const lineOf = ({ scores }: DetectionEvaluation, field: Score['field']): DetectionLine =>
  scores.find(({ name }) => name === field) as DetectionLine;

function rocPicture(found: Found, group: Foreign): Block {
  const { images, predictions } = found;
  const curve = ({ method, field }: Score) =>
    orThrow(
      rocCurve({ positives: predictions[group][method][field], negatives: upright(found, predictions.test[method][field]) }),
    );
  return picture(
    `roc-${group}`,
    `Upright digits against ${FOREIGN[group]}: the share of foreign images that are found, over the share of upright digits that are taken for foreign, at every threshold.`,
    () =>
      rocCurves({
        title: `Upright digits against ${FOREIGN[group]}`,
        subtitle: `${count(images.test.count - found.plan.foreign)} upright, ${count(images[group].count)} foreign`,
        series: DRAWN.map((score) => ({ name: score.name, curve: curve(score) })),
      }),
  );
}

/** From this probability on a prediction looks certain. */
const SURE = 0.9;

/** Some foreign images with what the network and the tuned posterior make of them, side by side. */
function examples({ images, predictions }: Found): Block {
  const isMisread = (p: Float32Array, b: number): boolean => {
    const [c = 0] = predictedClasses([p]);
    return c !== images.rotated.labels[b] && (p[c] as number) >= SURE;
  };
  const misread = predictions.rotated.map.probabilities.flatMap((p, b) => (isMisread(p, b) ? [b] : [])).slice(0, 2);
  const shown = [...misread.map((b) => ({ group: 'rotated' as const, b })), { group: 'noise' as const, b: 0 }];
  const caption = (method: Method, group: Foreign, b: number): ReadonlyArray<string> => {
    const { probabilities, entropy } = predictions[group][method];
    const [c = 0] = predictedClasses([probabilities[b] as Float32Array]);
    return [
      NAMES[method],
      `${c} with ${percent(probabilities[b]?.[c] as number, 1)}; entropy ${(entropy[b] as number).toFixed(2)} nats`,
    ];
  };
  return picture(
    'foreign',
    `The first rotated digits that the network takes for another one with a probability of ${percent(SURE, 0)} or more, and an image of noise. Left the network, right the tuned posterior.`,
    () =>
      gallery({
        title: 'What they make of foreign images',
        subtitle: 'Predicted probabilities of the ten classes',
        side: SIDE,
        items: shown.flatMap(({ group, b }) =>
          (['map', 'tuned'] as const).map((method) => ({
            image: image(images[group], b),
            probabilities: predictions[group][method].probabilities[b] as Float32Array,
            // No class is right for noise.
            label: group === 'noise' ? -1 : (images.rotated.labels[b] as number),
            captions: caption(method, group, b),
          })),
        ),
      }),
  );
}

export function foreign(found: Found): Chapter {
  const { predictions } = found;
  const parts = GROUPS.map((group) => {
    const own = {
      map: told(found, group, 'map'),
      mapAtBest: told(found, group, 'mapAtBest'),
      tuned: told(found, group, 'tuned', 'map'),
    };
    const overBest = told(found, group, 'tuned', 'mapAtBest');
    return { group, own, gain: lineOf(own.tuned, 'entropy').auroc, overBest: lineOf(overBest, 'entropy').auroc };
  });
  const auroc = (value: number | undefined): string => (value as number).toFixed(3);
  const sure = (group: 'test' | Foreign, method: Method): string =>
    percent(mean(predictions[group][method].probabilities.map((row) => Math.max(...row))), 1);
  return {
    title: 'Foreign images',
    gist:
      'The AUROC of the entropy, of the network, of the network at its best temperature and of the tuned posterior, is ' +
      `${parts.map(({ group, gain, overBest }) => `${auroc(gain.baseline)}, ${auroc(overBest.baseline)} and ${auroc(gain.value)} for ${FOREIGN[group]}`).join('; ')}.`,
    blocks: [
      text(
        'A network gives probabilities for every image, also for images that are no digits at all. Its uncertainty should tell.',
        `Foreign here are test images that were rotated by ${ANGLE}°, and images of noise.`,
        `The network is ${sure('test', 'map')} sure on average of upright digits, ${sure('rotated', 'map')} of rotated ones, and ${sure('noise', 'map')} of noise; the tuned posterior ${sure('test', 'tuned')}, ${sure('rotated', 'tuned')}, and ${sure('noise', 'tuned')}.`,
      ),
      examples(found),
      text(
        'Every threshold on the uncertainty finds some of the foreign images (true positives), and takes some upright digits for foreign (false positives).',
        'AUROC sums this up: the probability that a foreign image is more uncertain than an upright digit. 0.5 is guessing, 1 is perfect.',
        'AUPR is the mean precision over all thresholds. FPR95 is the share of upright digits that are taken for foreign when 95 % of the foreign images are found: lower is better.',
        'Mutual information is the part of the entropy that comes from not knowing the weights. The network alone has none.',
      ),
      ...parts.flatMap(
        ({ group, own, gain, overBest }): ReadonlyArray<Block> => [
          rocPicture(found, group),
          table(
            [`upright against ${FOREIGN[group]}`, 'AUROC', 'AUPR', 'FPR95'],
            SCORES.map(({ name, method, field }) => {
              const line = lineOf(own[method], field);
              return [name, withError(line.auroc, 3), withError(line.aupr, 3), withError(line.fpr95, 3)];
            }),
          ),
          text(
            `The AUROC of the tuned entropy is ${compared(gain.difference ?? gain, THAT_OF.map, '', 3)}, and ${compared(overBest.difference ?? overBest, THAT_OF.mapAtBest, '', 3)}.`,
          ),
        ],
      ),
    ],
  };
}
