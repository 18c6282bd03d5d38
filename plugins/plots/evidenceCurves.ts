/** The log marginal likelihood over the prior precision, for one or several layers or architectures. */
import type { Evidence } from 'tfjs-laplace';
import { array, boolean, defaulted, finite, laplaceError, optional, optionsOf, positive, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, words } from './data.js';
import { logAxis, plain } from './logAxis.js';
import { drawn } from './svg.js';
import { colourOf, DASHES, heading, WIDTH } from './theme.js';

/** The evidence at one prior precision, in nats, with its parts as `evidence` has them or without. */
export interface EvidenceAt extends Partial<Evidence> {
  /** τ */
  readonly precision: number;
  readonly logMarginalLikelihood: number;
}

export interface EvidenceData {
  readonly title: string;
  readonly subtitle?: string;
  /** Title of the horizontal axis. Default 'prior precision τ'. */
  readonly xAxis?: string;
  /**
   * Whether the log-likelihood and the Occam term, −½ (logDetRatio + scatter), are drawn too. Their sum is the evidence. Default
   * false.
   */
  readonly parts?: boolean;
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly points: ReadonlyArray<EvidenceAt>;
    /** The maximum, which is marked, where it is known better than by the highest of the points. */
    readonly maximum?: { readonly precision: number; readonly logMarginalLikelihood: number };
  }>;
}

const Maximum = struct('a maximum { precision, logMarginalLikelihood }', { precision: positive, logMarginalLikelihood: finite });
const Data = struct('data', {
  ...HEADING,
  xAxis: defaulted(words, 'prior precision τ'),
  parts: defaulted(boolean, false),
  series: array(
    'a list of series',
    struct('a series', {
      name: words,
      points: array(
        'a list of points { precision, logMarginalLikelihood }',
        struct('a point', {
          precision: positive,
          logMarginalLikelihood: finite,
          logLikelihood: optional(finite),
          logDetRatio: optional(finite),
          scatter: optional(finite),
        }),
      ),
      maximum: optional(Maximum),
    }),
  ),
});

/**
 * Draws the log marginal likelihood over the prior precision (log axis), with a dot at the maximum of each series. The legend has the
 * precision there.
 *
 * @param data titles, and for each series the evidence at several precisions
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong, and for `parts` of points without a log-likelihood.
 *
 * @example
 * ```ts no-run
 * import { evidenceCurves } from 'tfjs-laplace/plugins/plots';
 *
 * const points = [0.1, 1, 10].map((precision) => ({ precision, logMarginalLikelihood: -100 - Math.log10(precision) ** 2 }));
 * const svg = await evidenceCurves({ title: 'Evidence of two layers', series: [{ name: 'hidden', points }] });
 * svg.includes('hidden: largest at τ = 1'); // => true
 * ```
 */
export const evidenceCurves = (data: EvidenceData): Promise<string> => drawn(evidenceSpec, data);

export function evidenceSpec(given: EvidenceData): TopLevelSpec {
  const { parts, series, ...titles } = optionsOf('evidenceCurves', Data, given);
  checkNames('evidenceCurves', series);
  const labelled = series.map(({ name, points, maximum }, s) => {
    const top = maximum ?? points.reduce((a, b) => (b.logMarginalLikelihood > a.logMarginalLikelihood ? b : a));
    const rows = points.flatMap(({ precision, logMarginalLikelihood: y, logLikelihood: fit }, i) => {
      if (!parts) return [{ line: 'solid', precision, y }];
      if (fit === undefined) throw noFit(`series[${s}].points[${i}].logLikelihood`);
      return [
        { line: 'solid', precision, y },
        { line: 'dashed', precision, y: fit },
        { line: 'dotted', precision, y: y - fit },
      ];
    });
    return { name: `${name}: largest at τ = ${plain(top.precision)}`, top, rows };
  });
  const precisions = labelled.flatMap(({ rows, top }) => [top.precision, ...rows.map((row) => row.precision)]);
  const x = {
    field: 'precision',
    type: 'quantitative' as const,
    title: titles.xAxis,
    ...logAxis(Math.min(...precisions), Math.max(...precisions)),
  };
  const y = {
    field: 'y',
    type: 'quantitative' as const,
    title: parts ? 'log marginal likelihood and its parts (nats)' : 'log marginal likelihood (nats)',
    scale: { zero: false },
  };
  const color = colourOf(labelled.map(({ name }) => name));
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(titles, parts ? 'Solid: evidence; dashed: log-likelihood; dotted: Occam term' : undefined),
    width: WIDTH,
    height: 340,
    layer: [
      {
        data: { values: labelled.flatMap(({ name, rows }) => rows.map((row) => ({ name, ...row }))) },
        mark: { type: 'line', strokeWidth: 2, interpolate: 'monotone' },
        encoding: {
          x,
          y,
          color,
          strokeDash: DASHES,
        },
      },
      {
        data: { values: labelled.map(({ name, top }) => ({ name, precision: top.precision, y: top.logMarginalLikelihood })) },
        mark: { type: 'point', filled: true, size: 90, opacity: 1, stroke: 'white', strokeWidth: 1.5 },
        encoding: { x, y, color },
      },
    ],
  };
}

const noFit = (field: string) =>
  laplaceError('InvalidOption', {
    what: `evidenceCurves: ${field}`,
    field,
    found: 'nothing',
    expected: 'the log-likelihood, since parts are to be drawn',
  });
