/** Chapter 4: which predictions are handed on to a person. */
import { type Abstention, abstain, abstainForRisk, correctness, type Estimate, orThrow, riskCoverage } from 'tfjs-laplace';
import { riskCoverageCurves } from 'tfjs-laplace/plugins/plots';
import type { Predictions } from '../../mnist/predictions.js';
import { count, percent } from '../../support/table.js';
import { type Found, type Method, NAMES, THAT_OF, TITLES } from '../found.js';
import { type Chapter, picture, table, text } from '../story.js';
import { compared, differenceOf, isClear, seen, share } from '../words.js';

const METHODS: ReadonlyArray<Method> = ['map', 'mapAtBest', 'tuned'];

/** A threshold that was fitted on the images for the guarantees, and what it does to the test images. */
interface Kept {
  readonly fitted: Abstention;
  readonly abstained: number;
  readonly kept: number;
  /** Wrong predictions among the kept ones. */
  readonly errors: number;
}

const losses = ({ probabilities }: Predictions, labels: Uint8Array): Float64Array =>
  Float64Array.from(orThrow(correctness(probabilities, labels)), (right) => 1 - right);

function keptBy({ plan: { risk, confidence }, images, predictions }: Found, method: Method): Kept {
  const [own, test] = [predictions.guarantee[method], predictions.test[method]];
  const right = orThrow(correctness(own.probabilities, images.guarantee.labels));
  const fitted = orThrow(abstainForRisk(own.entropy, right, { risk, confidence }));
  const marks = orThrow(abstain(test.entropy, fitted));
  const isWrong = losses(test, images.test.labels);
  const abstained = marks.reduce((sum, mark) => sum + mark, 0);
  return {
    fitted,
    abstained,
    kept: marks.length - abstained,
    errors: isWrong.filter((wrong, b) => wrong === 1 && marks[b] === 0).length,
  };
}

const seenRisk = ({ kept, errors }: Kept): string => (kept === 0 ? '' : share(seen(errors, kept)));

/** Whether the risk that is seen is what was asked for. */
function verdictOn({ value, standardError }: Estimate, risk: number): string {
  if (value <= risk) return 'That is within what was asked for.';
  return isClear({ value: value - risk, standardError })
    ? 'That is more than was asked for, by more than two standard errors.'
    : 'That is more than was asked for, but within two standard errors.';
}

export function abstaining(found: Found): Chapter {
  const { plan, images, predictions, scores, overBest } = found;
  const { labels, count: N } = images.test;
  const [asked, odds] = [percent(plan.risk, 0), percent(plan.confidence, 0)];
  const all = { map: keptBy(found, 'map'), mapAtBest: keptBy(found, 'mapAtBest'), tuned: keptBy(found, 'tuned') };
  const { tuned } = all;
  const curve = (method: Method) => {
    const [own, lost] = [predictions.test[method], losses(predictions.test[method], labels)];
    return {
      name: NAMES[method],
      curve: orThrow(riskCoverage(own.entropy, lost)),
      oracle: orThrow(riskCoverage(lost, lost)),
    };
  };
  const areas = differenceOf(scores.tuned, 'riskCoverageArea');
  const areasOverBest = differenceOf(overBest, 'riskCoverageArea');
  const done =
    tuned.kept === 0
      ? `no threshold keeps the risk of ${asked} with a probability of ${odds}: all ${count(N)} predictions are handed on.`
      : `the threshold of the tuned posterior abstains from ${count(tuned.abstained)} of ${count(N)} test images (${percent(tuned.abstained / N, 1)}). ` +
        `Of the ${count(tuned.kept)} that it keeps, ${count(tuned.errors)} are wrong: ${seenRisk(tuned)}.`;
  return {
    title: 'Abstaining',
    gist: `For a risk of at most ${asked}, ${done}`,
    blocks: [
      text(
        'A prediction that is too uncertain can be handed on to a person. The uncertainty here is the entropy of the predicted probabilities.',
        'Coverage is the share of predictions that are kept, and risk is the share of wrong ones among them. A good uncertainty lets go of the wrong ones first.',
      ),
      picture(
        'abstaining',
        'Risk over coverage, of the network and of the tuned posterior. The lower, the better; dashed is the best that any order could do.',
        () =>
          riskCoverageCurves({
            title: 'Keeping the surest predictions',
            subtitle: `${count(N)} test images, ordered by their entropy`,
            series: (['map', 'tuned'] as const).map(curve),
          }),
      ),
      text(
        `The area below the curve (AURC) of the tuned posterior is ${compared(areas, THAT_OF.map, '', 5)}, and ${compared(areasOverBest, THAT_OF.mapAtBest, '', 5)}.`,
      ),
      text(
        `How much has to be handed on for a risk of at most ${asked}? A threshold that just fits the images at hand would promise too much.`,
        `The method of Geifman & El-Yaniv (2017) adds a margin for chance. It fits the threshold on ${count(images.guarantee.count)} images that nothing else has seen, and with a probability of ${odds} the risk of future images like them is within the bound.`,
      ),
      table(
        ['entropy of', 'threshold (nats)', 'bound', 'abstains from', 'keeps', 'wrong', 'risk seen'],
        METHODS.map((method) => {
          const { fitted, abstained, kept, errors } = all[method];
          const { rule, bound } = fitted;
          return [
            TITLES[method],
            rule._tag === 'keepUpTo' ? rule.uncertainty.toFixed(3) : '',
            percent(bound),
            count(abstained),
            count(kept),
            count(errors),
            seenRisk(all[method]),
          ];
        }),
      ),
      text(
        `On the test images ${done}`,
        tuned.kept === 0 ? '' : verdictOn(seen(tuned.errors, tuned.kept), plan.risk),
        `Under the same promise the network keeps ${count(all.map.kept)}, and at its best temperature ${count(all.mapAtBest.kept)}.`,
        `Without abstaining, ${share(seen(losses(predictions.test.tuned, labels).filter((l) => l === 1).length, N))} are wrong.`,
      ),
    ],
  };
}
