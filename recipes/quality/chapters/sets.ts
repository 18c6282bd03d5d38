/** Chapter 6: sets of classes that hold the right one as often as they promise. */
import {
  aps,
  type ClassScore,
  type ClassSets,
  conformalSets,
  lac,
  meanSetSize,
  orThrow,
  predictionSets,
  setCoverage,
} from 'tfjs-laplace';
import { setSizes } from 'tfjs-laplace/plugins/plots';
import { count, percent, signed } from '../../support/table.js';
import { type Found, type Group, type Method, TITLES } from '../found.js';
import { ANGLE } from '../images.js';
import { type Chapter, picture, table, text } from '../story.js';

/** A predictive, and the score by which its sets are built. */
interface Kind {
  readonly name: string;
  readonly method: Method;
  readonly score: ClassScore;
}

const KINDS: ReadonlyArray<Kind> = [
  { name: `LAC, ${TITLES.map}`, method: 'map', score: lac() },
  { name: `LAC, ${TITLES.tuned}`, method: 'tuned', score: lac() },
  { name: `APS, ${TITLES.tuned}`, method: 'tuned', score: aps() },
];

/** The sets of a group of images, with the share of them that hold the right class. */
function setsOf({ images, predictions }: Found, { method, score }: Kind, level: number, group: Group = 'test') {
  const options = { score, level };
  const fitted = orThrow(conformalSets(predictions.guarantee[method].probabilities, images.guarantee.labels, options));
  const sets = orThrow(predictionSets(predictions[group][method].probabilities, fitted));
  return { sets, coverage: orThrow(setCoverage(sets, images[group].labels)) };
}

const shareOf = (sets: ClassSets, size: number): string =>
  percent(sets.filter(({ length }) => length === size).length / sets.length, 1);

export function sets(found: Found): Chapter {
  const { plan, images } = found;
  const [n, N] = [images.guarantee.count, images.test.count];
  /** How far chance moves the coverage that is seen: one standard error from both the fitted and the new images. */
  const chance = (level: number): number => Math.sqrt(level * (1 - level) * (1 / n + 1 / N));
  const last = plan.levels.at(-1) as number;
  const tuned = KINDS[1] as Kind;
  const cells = plan.levels.flatMap((level) => KINDS.map((kind) => ({ level, kind, ...setsOf(found, kind, level) })));
  const own = setsOf(found, tuned, last);
  const turned = setsOf(found, tuned, last, 'rotated');
  const size = (given: ClassSets): string => orThrow(meanSetSize(given)).toFixed(2);
  const farthest = Math.max(...cells.map(({ level, coverage }) => Math.abs(coverage - level) / chance(level)));
  const asked = percent(last, 0);
  return {
    title: 'Sets that hold what they promise',
    gist: `Asked to hold the right class in ${asked} of cases, the sets of the tuned posterior hold it in ${percent(own.coverage)}, with ${size(own.sets)} classes on average.`,
    blocks: [
      text(
        'Instead of one class, conformal prediction names a set of classes that holds the right one with a probability of at least a level that is asked for.',
        'This holds whatever the network is, as long as new images are drawn like those that the sets were fitted on. A better network, or a better posterior, gives smaller sets.',
        `The sets are fitted on the same ${count(n)} images as the threshold of chapter 4.`,
        'LAC takes every class with enough probability, and gives the smallest sets on average. APS takes the likeliest classes until their probabilities add up to enough, and gives larger sets where the image is hard.',
      ),
      table(
        ['sets of test images', 'asked', 'seen', 'seen − asked', 'mean size', 'one class', 'no class'],
        cells.map(({ level, kind, sets: given, coverage }) => [
          kind.name,
          percent(level, 0),
          percent(coverage),
          `${signed(100 * (coverage - level), 100 * chance(level), 2)} %`,
          size(given),
          shareOf(given, 1),
          shareOf(given, 0),
        ]),
      ),
      text(
        `Behind ± is how far chance alone moves what is seen, with ${count(n)} images to fit and ${count(N)} to test. The farthest of these numbers is ${farthest.toFixed(1)} times as far.`,
        'A set without a class says that every class is more unusual for the image than the level allows.',
      ),
      picture(
        'set-sizes',
        `How many classes the sets hold at a level of ${asked}. Above: the share that holds the right class, and the mean size.`,
        () =>
          setSizes({
            title: `Conformal sets at a level of ${asked}`,
            subtitle: `${count(N)} test images; fitted on ${count(n)} others`,
            series: KINDS.map((kind) => ({ name: kind.name, ...setsOf(found, kind, last) })),
          }),
      ),
      text(
        `The promise is for images like those that were fitted on. Of the digits rotated by ${ANGLE}° the same sets (${tuned.name}) hold the right class in ${percent(turned.coverage, 1)}, and name ${size(turned.sets)} classes on average.`,
        'Foreign images have to be found first, as in chapter 5.',
      ),
    ],
  };
}
