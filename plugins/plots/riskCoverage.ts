/** Risk over coverage: what the errors cost if only the least uncertain predictions are kept (Geifman & El-Yaniv 2017). */
import { array, defaulted, optional, optionsOf, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { checkNames, HEADING, listsOf, words } from './data.js';
import { drawn } from './svg.js';
import { colourOf, DASHES, heading, WIDTH } from './theme.js';
import { thinned } from './thinned.js';

/** What the picture needs of a curve that `riskCoverage` gives. */
export interface RiskCurve {
  /** [N], ascending. */
  readonly coverage: ArrayLike<number>;
  /** Mean loss of what is kept. [N] */
  readonly risk: ArrayLike<number>;
}

export interface RiskCoverageData {
  readonly title: string;
  readonly subtitle?: string;
  /** Title of the vertical axis, with its unit. Default 'risk (share of wrong predictions)'. */
  readonly risk?: string;
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly curve: RiskCurve;
    /** The curve of the best order, `riskCoverage(losses, losses)`: a dashed line. */
    readonly oracle?: RiskCurve;
  }>;
}

const HEIGHT = 340;
/** The risk of less than this share of the predictions is not drawn: so few losses are mostly chance. */
const LEAST = 0.01;
/** The axis ends a little above the largest risk from this coverage on. A higher risk of fewer predictions is cut off. */
const LOOK = 0.1;

const Curve = listsOf('a curve as riskCoverage gives it', ['coverage', 'risk']);
const Data = struct('data', {
  ...HEADING,
  risk: defaulted(words, 'risk (share of wrong predictions)'),
  series: array('a list of series', struct('a series', { name: words, curve: Curve, oracle: optional(Curve) })),
});

/**
 * Draws risk over coverage. The legend has the area below each curve (AURC), in units of the loss. Curves begin at a coverage of 1 %.
 *
 * @param data titles, and for each predictive what `riskCoverage` returns
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { orThrow, riskCoverage } from 'tfjs-laplace';
 * import { riskCoverageCurves } from 'tfjs-laplace/plugins/plots';
 *
 * const [entropy, losses] = [[0.1, 0.7, 0.2, 0.9], [0, 1, 0, 0]];
 * const series = [
 *   { name: 'linearised Laplace', curve: orThrow(riskCoverage(entropy, losses)), oracle: orThrow(riskCoverage(losses, losses)) },
 * ];
 * const svg = await riskCoverageCurves({ title: 'Abstaining by entropy', series });
 * svg.includes('linearised Laplace: AURC 0.146'); // => true
 * ```
 */
export const riskCoverageCurves = (data: RiskCoverageData): Promise<string> => drawn(riskCoverageSpec, data);

export function riskCoverageSpec(given: RiskCoverageData): TopLevelSpec {
  const data = optionsOf('riskCoverageCurves', Data, given);
  checkNames('riskCoverageCurves', data.series);
  const labelled = data.series.map(({ name, curve, oracle }) => ({
    name: `${name}: AURC ${areaOf(curve).toPrecision(3)}`,
    curve,
    oracle,
  }));
  const lines = labelled.flatMap(({ name, curve, oracle }) => [
    { name, line: 'solid', points: pointsOf(curve) },
    ...(oracle === undefined ? [] : [{ name, line: 'dashed', points: pointsOf(oracle) }]),
  ]);
  const looked = lines.flatMap(({ points }) => points.filter(({ x }) => x >= LOOK).map(({ y }) => y));
  const bottom = Math.min(0, ...looked);
  const top = bottom + 1.08 * (Math.max(...looked) - bottom || 1);
  const unit = { x: WIDTH, y: HEIGHT / (top - bottom) };
  const hasOracle = data.series.some(({ oracle }) => oracle !== undefined);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data, hasOracle ? 'Dashed: the best order of the same losses (oracle)' : undefined),
    width: WIDTH,
    height: HEIGHT,
    data: {
      values: lines.flatMap(({ name, line, points }) => thinned(points, unit).map((point) => ({ name, line, ...point }))),
    },
    mark: { type: 'line', strokeWidth: 2, clip: true, strokeJoin: 'round', order: false },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: 'coverage (share of the predictions that are kept)',
        scale: { domain: [0, 1] },
      },
      y: { field: 'y', type: 'quantitative', title: data.risk, scale: { domain: [bottom, top], nice: false } },
      color: colourOf(labelled.map(({ name }) => name)),
      strokeDash: DASHES,
    },
  };
}

const areaOf = ({ risk }: RiskCurve): number => Array.from(risk).reduce((sum, r) => sum + r, 0) / risk.length;

const pointsOf = ({ coverage, risk }: RiskCurve) =>
  Array.from(coverage, (x, i) => ({ x, y: risk[i] as number })).filter(({ x }, i, all) => x >= LEAST || i === all.length - 1);
