/** Question 3: does uncertainty find wrong predictions, and digits that are rotated as no training digit was? */
import { auroc, correctness, orThrow } from 'tfjs-laplace';
import { count, percent, signed } from '../support/table.js';
import { aurocDifference } from './auroc.js';
import { type Digits, slice } from './digits.js';
import { networkPredictions, type Predictions, posteriorPredictions, rescaled } from './predictions.js';
import { rotated } from './rotate.js';
import type { Desk, Results } from './run.js';
import { mean, scoresOf, testDigits } from './scores.js';

/**
 * Predictive entropies (nats) of groups of digits under the linearised predictive, and the angle of the rotated ones (degrees).
 */
export interface Groups {
  readonly correct: ReadonlyArray<number>;
  readonly incorrect: ReadonlyArray<number>;
  readonly upright: ReadonlyArray<number>;
  readonly rotated: ReadonlyArray<number>;
  readonly angle: number;
}

/** Digits, and the predictions of the network and of its posterior for them. */
interface Seen {
  readonly digits: Digits;
  readonly map: Predictions;
  readonly mapAtBest: Predictions;
  readonly linearised: Predictions;
}

/**
 * Prints how well each uncertainty detects wrong predictions and rotated digits.
 *
 * @returns the entropies that the picture shows; its rotated digits have the last angle of the plan
 */
export async function detection(desk: Desk, results: Results): Promise<Groups> {
  const { plan, report } = desk;
  const right = orThrow(correctness(results.linearised.probabilities, results.test.labels));
  const split = (values: ArrayLike<number>, wanted: number): number[] => Array.from(values).filter((_, b) => right[b] === wanted);

  const upright = head(results, plan.rotated);
  const turned: Array<Seen & { readonly angle: number }> = [];
  for (const angle of plan.angles) turned.push({ angle, ...(await seen(desk, results, rotated(upright.digits, angle), angle)) });

  const wrong = right.filter((r) => r === 0).length;
  report.heading(
    `3. Uncertainty of correct against incorrect predictions, ${testDigits(results.test)} (${count(wrong)} incorrect)`,
  );
  report.table(['detector', 'mean, correct', 'mean, incorrect', 'AUROC'], mistakes(results));

  report.heading(`   Rotated digits against upright ones, the first ${testDigits(upright.digits)}`);
  report.table(
    [
      'rotation',
      'MAP accuracy',
      'MAP entropy',
      'at its best temperature',
      'linearised entropy',
      'difference to the better MAP',
      'linearised mutual information',
    ],
    turned.map((group) => [`${group.angle}°`, percent(scoresOf(group.map, group.digits).accuracy), ...scores(group, upright)]),
  );
  report.note(
    'AUROC: how well a score tells rotated from upright digits. 0.5 is guessing, 1 is perfect; ± is one standard error (DeLong).',
  );
  report.note('Mutual information is the part of the entropy that more data would remove.');

  const last = turned.at(-1) as Seen & { readonly angle: number };
  return {
    correct: split(results.linearised.entropy, 1),
    incorrect: split(results.linearised.entropy, 0),
    upright: Array.from(upright.linearised.entropy),
    rotated: Array.from(last.linearised.entropy),
    angle: last.angle,
  };
}

/** The first n digits of the test set, with the predictions that are there already. */
function head({ test, map, mapAtBest, linearised }: Results, n: number): Seen {
  const cut = (p: Predictions): Predictions => ({
    ...p,
    probabilities: p.probabilities.slice(0, n),
    entropy: Array.from(p.entropy).slice(0, n),
    mutualInformation: Array.from(p.mutualInformation).slice(0, n),
  });
  return { digits: slice(test, 0, n), map: cut(map), mapAtBest: cut(mapAtBest), linearised: cut(linearised) };
}

async function seen(
  { progress }: Desk,
  { model, choice, posterior, predictive }: Results,
  digits: Digits,
  angle: number,
): Promise<Seen> {
  const linearised = await progress.step(`Linearised predictive, ${testDigits(digits)} rotated by ${angle}°`, (onProgress) =>
    posteriorPredictions(model, posterior, predictive, digits, onProgress),
  );
  const map = await networkPredictions(model, digits);
  return { digits, map, mapAtBest: rescaled(map, choice.tuning.network.fitted.scale), linearised };
}

/**
 * The rows of the first table: how well each uncertainty separates the wrong predictions of its own predictive from the right
 * ones.
 */
function mistakes({ test, map, mapAtBest, linearised }: Results): string[][] {
  const line = (name: string, predictions: Predictions, score: ArrayLike<number>): string[] => {
    const right = orThrow(correctness(predictions.probabilities, test.labels));
    const negatives = Array.from(score).filter((_, b) => right[b] === 1);
    const positives = Array.from(score).filter((_, b) => right[b] === 0);
    return [name, mean(negatives).toFixed(3), mean(positives).toFixed(3), orThrow(auroc({ positives, negatives })).toFixed(4)];
  };
  return [
    line('MAP entropy (nats)', map, map.entropy),
    line('entropy at its best temperature (nats)', mapAtBest, mapAtBest.entropy),
    line('linearised entropy (nats)', linearised, linearised.entropy),
    line('linearised mutual information (nats)', linearised, linearised.mutualInformation),
  ];
}

function scores(turned: Seen, upright: Seen): string[] {
  const groups = (score: (seen: Seen) => ArrayLike<number>) => ({ positives: score(turned), negatives: score(upright) });
  const map = groups((seen) => seen.map.entropy);
  const own = groups((seen) => seen.linearised.entropy);
  const atBest = groups((seen) => seen.mapAtBest.entropy);
  const better = orThrow(auroc(atBest)) > orThrow(auroc(map)) ? atBest : map;
  const { mean: gain, standardError } = aurocDifference(own, better);
  return [
    orThrow(auroc(map)).toFixed(4),
    orThrow(auroc(atBest)).toFixed(4),
    orThrow(auroc(own)).toFixed(4),
    signed(gain, standardError),
    orThrow(auroc(groups((seen) => seen.linearised.mutualInformation))).toFixed(4),
  ];
}
