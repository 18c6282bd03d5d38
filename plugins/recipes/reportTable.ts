/** A report as text for a terminal. */
import type { EvaluatedMetric, Tuning } from 'tfjs-laplace';
import { textTable } from 'tfjs-laplace/extend';
import type { OutputReport, RecipeReport } from './report.js';

/**
 * A report as text: what the posterior covers, how its prior was chosen, a table of metrics for each output, and warnings.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { recipe } from 'tfjs-laplace';
 * import { reportTable, runRecipe } from 'tfjs-laplace/plugins/recipes';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const training = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const report = await runRecipe(model, { training }, recipe({ likelihood: 'gaussian' }))();
 * E.isRight(report) && reportTable(report.right).includes('3 examples'); // => true
 * ```
 */
export function reportTable(report: RecipeReport): string {
  const { recipe, examples, posterior, evidence, tuning, outputs, warnings, kept } = report;
  const names = posterior.layers.map(({ name }) => name).join(', ');
  const sections = [
    `A posterior of ${examples} examples over ${names} (${recipe.likelihood._tag}, ${recipe.curvature._tag}, ${recipe.damping._tag} damping)`,
    `log marginal likelihood ${short(evidence.logMarginalLikelihood)} nats`,
    ...(tuning
      ? [tuningText(tuning)]
      : [`prior precision ${priorText(report)}: as the recipe has it, since there were no held-out examples`]),
    ...outputs.flatMap(outputText),
    ...warnings.map((sentence) => `Warning: ${sentence}`),
    ...(kept.length === 0
      ? []
      : [
          textTable(
            ['kept', 'where'],
            kept.map(({ what, where }) => [what, where]),
          ),
        ]),
  ];
  return sections.join('\n\n');
}

const priorText = ({ posterior }: RecipeReport): string =>
  [...new Set(posterior.layers.map(({ priorPrecision }) => short(priorPrecision)))].join(', ');

function tuningText({ chosen, verdict, network }: Tuning): string {
  const { precision, scale, temperature, noiseVariance, criterion } = chosen;
  const parts = [
    `prior precision ${short(precision)}`,
    ...(scale === 1 ? [] : [`scale ${short(scale)}`]),
    ...(temperature === 1 ? [] : [`temperature ${short(temperature)}`]),
    ...(noiseVariance === undefined ? [] : [`noise variance ${[noiseVariance].flat().map(short).join(', ')}`]),
  ];
  const own = Math.min(network.plain.criterion, network.fitted.criterion);
  return `${parts.join(', ')}: chosen on held-out examples, criterion ${short(criterion)}, the trained network's ${short(own)} (${verdict})`;
}

function outputText({
  output,
  evaluation,
  calibrator,
  conformal,
  covered,
  abstention,
  kept,
}: OutputReport): ReadonlyArray<string> {
  const fitted = [
    ...(calibrator ? [`calibrated by '${calibrator.map._tag}'`] : []),
    ...(conformal && !covered ? [`${setsOf(conformal)} for a level of ${percent(conformal.level)}`] : []),
    ...(conformal && covered
      ? [
          `${setsOf(conformal)} for a level of ${percent(conformal.level)} hold ${percent(covered.coverage)} of the labels, mean size ${short(covered.size)}`,
        ]
      : []),
    ...(abstention && !kept ? [`a threshold on the entropy that bounds the risk by ${percent(abstention.bound)}`] : []),
    ...(abstention && kept
      ? [
          `${percent(kept.coverage)} of the predictions are kept` +
            (kept.risk === undefined ? '' : `, ${percent(kept.risk)} of these are wrong`),
        ]
      : []),
  ];
  const lines = fitted.length === 0 ? [] : [`'${output}': ${fitted.join('; ')}`];
  if (evaluation === undefined) return lines;
  const head = [`'${output}', ${evaluation.count} test examples`, 'posterior', '±', 'trained network', 'difference', '±'];
  return [...lines, textTable(head, evaluation.metrics.map(metricRow))];
}

const setsOf = ({ _tag }: { readonly _tag: string }): string => (_tag === 'conformalSets' ? 'sets' : 'intervals');

const metricRow = ({ name, value, standardError, baseline, difference }: EvaluatedMetric): ReadonlyArray<string> => [
  name,
  fixed(value),
  fixed(standardError),
  ...(baseline === undefined ? ['', ''] : [fixed(baseline), difference === undefined ? '' : fixed(difference.value)]),
  ...(difference === undefined ? [''] : [fixed(difference.standardError)]),
];

const fixed = (value: number): string => (Math.abs(value) < 1e4 ? value.toFixed(4) : value.toPrecision(6));
const short = (value: number): string => String(Number(value.toPrecision(4)));
const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
