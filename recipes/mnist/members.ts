/** Question 4: how do five networks drawn from the posterior differ? */
import { concatMap, lastValueFrom, of, tap, toArray } from 'rxjs';
import { predictedClasses, sampleModels } from 'tfjs-laplace';
import { percent } from '../support/table.js';
import { precisionOf, short } from './choosing.js';
import { SEEDS } from './plan.js';
import { ensemble, networkPredictions, type Predictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { COLUMNS, cells, scoresOf, testDigits } from './scores.js';

const COUNT = 5;

/** Draws networks from the posterior for sampled predictives. Prints their scores, the scores of their ensemble, and how often they disagree. */
export async function members({ report, progress }: Desk, { model, unscaled, test, map }: Results): Promise<void> {
  let done = 0;
  const drawn = await progress.step(`Drawing ${COUNT} networks and predicting ${testDigits(test)} with each`, (onProgress) =>
    lastValueFrom(
      of(unscaled).pipe(
        sampleModels(model, { samples: COUNT, seed: SEEDS.members }),
        concatMap((member) => networkPredictions(member, test).finally(() => member.dispose())),
        tap(() => {
          done += 1;
          onProgress({ phase: 'sample', done, total: COUNT, unit: 'networks' });
        }),
        toArray(),
      ),
    ),
  );
  report.heading(`4. ${COUNT} networks drawn from the posterior at τ = ${short(precisionOf(unscaled))}, ${testDigits(test)}`);
  report.table(
    ['', ...COLUMNS, 'differs from MAP'],
    [
      ...drawn.map((member, i) => [`network ${i + 1}`, ...cells(scoresOf(member, test)), percent(disagreement(member, map))]),
      ['their ensemble', ...cells(scoresOf(ensemble(drawn), test)), percent(disagreement(ensemble(drawn), map))],
      ['MAP', ...cells(scoresOf(map, test)), ''],
    ],
  );
  report.result(
    `On average over the pairs, two of the ${COUNT} networks disagree about ${percent(meanDisagreement(drawn))} of the digits.`,
  );
}

/** The share of examples, in [0, 1], that two predictions put in different classes. */
export function disagreement(a: Predictions, b: Predictions): number {
  const [own, other] = [predictedClasses(a.probabilities), predictedClasses(b.probabilities)];
  return own.filter((c, i) => c !== other[i]).length / own.length;
}

/** The mean disagreement over all pairs, in [0, 1]. */
export function meanDisagreement(all: ReadonlyArray<Predictions>): number {
  const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => disagreement(a, b)));
  return pairs.reduce((sum, d) => sum + d, 0) / pairs.length;
}
