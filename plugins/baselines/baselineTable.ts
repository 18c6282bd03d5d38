/** Baselines as a table of text. */
import type { EvaluatedMetric } from 'tfjs-laplace';
import { argument, array, refined, textTable } from 'tfjs-laplace/extend';
import type { ComparedBaseline } from './compareBaselines.js';

const Names = array(
  'names of metrics',
  refined('the name of a metric', (value): value is string => typeof value === 'string'),
);

/** The metrics that stand in a table by default. */
const USUAL = ['accuracy', 'nll', 'brierScore', 'ece', 'errorAuroc', 'gaussianNll', 'gaussianCrps', 'rmse', 'coverage95'];

/**
 * A table with a line for each baseline: its name, metrics with their standard errors over the examples, an AUROC for each group of foreign
 * inputs, trainings, and seconds of preparation and prediction.
 *
 * @param metrics names as `evaluate` gives them. Default: the usual ones.
 * @throws LaplaceError `InvalidOption` for names that are none.
 */
export function baselineTable(compared: ReadonlyArray<ComparedBaseline>, metrics: ReadonlyArray<string> = USUAL): string {
  const wanted = argument('baselineTable', 'metrics', Names, metrics);
  const all = compared.flatMap(({ evaluation }) => evaluation.metrics.map(({ name }) => name));
  const shown = wanted.filter((name) => all.includes(name));
  const foreign = [...new Set(compared.flatMap((own) => Object.keys(own.foreign)))];
  const head = ['', ...shown, ...foreign.map((name) => `AUROC, ${name}`), 'trainings', 'preparation', 'prediction'];
  const rows = compared.map((own) => [
    own.name,
    ...shown.map((name) => cell(own.evaluation.metrics.find((metric) => metric.name === name))),
    ...foreign.map((name) => own.foreign[name]?.toFixed(3) ?? ''),
    String(own.trainings),
    seconds(own.seconds.preparation),
    seconds(own.seconds.prediction),
  ]);
  return textTable(head, rows);
}

const cell = (metric: EvaluatedMetric | undefined): string =>
  metric === undefined ? '' : `${metric.value.toFixed(4)} ± ${metric.standardError.toFixed(4)}`;

const seconds = (value: number): string => `${value.toFixed(2)} s`;
