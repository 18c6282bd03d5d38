/** Scores of methods over seeds: means, standard errors, tables and bars. */
import type { ComparedBaseline } from 'tfjs-laplace/plugins/baselines';
import type { Bar, Table } from '../harness.js';

/** The numbers of one method under one seed, by name. */
export type Numbers = Readonly<Record<string, number>>;
/** For each seed the numbers of each method. */
export type Seeds = ReadonlyArray<Readonly<Record<string, Numbers>>>;

/** What a part of the benchmark has found. */
export interface Part {
  readonly tables: ReadonlyArray<Table>;
  readonly bars: ReadonlyArray<Bar>;
  readonly notes: ReadonlyArray<string>;
}

/** The numbers of compared baselines, by the names of the baselines. */
export const numbersOf = (compared: ReadonlyArray<ComparedBaseline>): Readonly<Record<string, Numbers>> =>
  Object.fromEntries(
    compared.map(({ name, trainings, seconds, evaluation, foreign }) => [
      name,
      {
        ...Object.fromEntries(evaluation.metrics.map((metric) => [metric.name, metric.value])),
        ...foreign,
        trainings,
        seconds: seconds.prediction,
      },
    ]),
  );

/** The two groups of numbers for the same methods in one. */
export const together = (
  a: Readonly<Record<string, Numbers>>,
  b: Readonly<Record<string, Numbers>>,
): Readonly<Record<string, Numbers>> =>
  Object.fromEntries(Object.entries(a).map(([name, own]) => [name, { ...b[name], ...own }]));

/** A number of a method under every seed. */
export const over = (seeds: Seeds, method: string, number: string): ReadonlyArray<number> =>
  seeds.map((own) => own[method]?.[number] ?? Number.NaN);

/** The difference of a number of two methods under every seed. */
export const gains = (seeds: Seeds, number: string, method: string, against: string): ReadonlyArray<number> => {
  const base = over(seeds, against, number);
  return over(seeds, method, number).map((v, i) => v - (base[i] as number));
};

export const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** The standard error of a mean over seeds; 0 for a single one, which tells nothing. */
const standardError = (values: ReadonlyArray<number>): number => {
  const [n, centre] = [values.length, mean(values)];
  if (n < 2) return 0;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (n - 1) / n);
};

/** Mean and standard error over seeds, as `0.1731 ± 0.0021`. */
const shown = (values: ReadonlyArray<number>, digits = 4): string =>
  values.some(Number.isNaN) ? '' : `${mean(values).toFixed(digits)} ± ${standardError(values).toFixed(digits)}`;

/** A column: its title, the number's name, and its decimals. */
export type Column = readonly [title: string, number: string, digits?: number];

/** What classifiers are judged by. */
export const CLASSES: ReadonlyArray<Column> = [
  ['NLL', 'nll'],
  ['accuracy', 'accuracy'],
  ['ECE', 'ece', 4],
  ['AUROC, rotated', 'rotated', 3],
  ['AUROC, left out', 'left out', 3],
  ['AUROC, noise', 'noise', 3],
];

/** A table of all methods. Costs are the same under all seeds up to noise, and have no error. */
export function tableOf(title: string, seeds: Seeds, columns: ReadonlyArray<Column>): Table {
  const methods = Object.keys(seeds[0] ?? {});
  const costs = [
    ['trainings', 'trainings', 0],
    ['prediction, s', 'seconds', 2],
  ] as const;
  return {
    title,
    head: ['', ...columns.map(([name]) => name), ...costs.map(([name]) => name)],
    rows: methods.map((method) => [
      method,
      ...columns.map(([, number, digits]) => shown(over(seeds, method, number), digits)),
      ...costs.map(([, number, digits]) => mean(over(seeds, method, number)).toFixed(digits)),
    ]),
  };
}

/** A bar on a mean difference that may be on the wrong side of 0 by its standard error over the seeds. */
export const noWorse = (name: string, differences: ReadonlyArray<number>): Bar => ({
  name: `${name}, less one standard error`,
  value: mean(differences) - standardError(differences),
  limit: 0,
  atMost: true,
});

/** Tells on stderr how far the benchmark is. */
export const tell = (text: string): void => void process.stderr.write(`${text}\n`);
