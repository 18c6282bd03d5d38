/** What `tune` found: the criterion on held-out data over the prior precision, and the scale that suits each precision. */
import { isRecord, optionsOf, refined, struct } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { HEADING, words } from './data.js';
import { logAxis } from './logAxis.js';
import { drawn } from './svg.js';
import { heading } from './theme.js';
import { criterionRange, hasCriterion, marksOf, type Tried, type Tuned } from './tuningMarks.js';
import { type Line, PANEL, panelOf } from './tuningPanel.js';

export interface TuningData {
  readonly title: string;
  readonly subtitle?: string;
  /** Title of the vertical axis: the criterion with its unit, such as 'NLL of held-out digits (nats)'. */
  readonly criterion: string;
  /** What `tune` resolves with, or these parts of it. */
  readonly tuning: Tuned;
}

const isTried = (value: unknown): value is Tried =>
  isRecord(value) &&
  isRecord(value.difference) &&
  [value.precision, value.scale].every((v) => typeof v === 'number' && v > 0) &&
  [value.criterion, value.difference.standardError].every((v) => typeof v === 'number');

const TuningValue = refined(
  'what tune resolves with: { candidates, network, choices, chosen }, with a candidate whose criterion is finite',
  (value): value is Tuned => {
    if (!isRecord(value) || !isRecord(value.network) || !isRecord(value.choices)) return false;
    const { candidates, network, choices, chosen } = value;
    return (
      Array.isArray(candidates) &&
      candidates.every(isTried) &&
      candidates.some(hasCriterion) &&
      [network.plain, network.fitted, chosen, ...Object.values(choices)].every(isTried)
    );
  },
);
const Data = struct('data', { ...HEADING, criterion: words, tuning: TuningValue });

const BAND = 'Band: ± one standard error of the difference to the network';
const PRECISION = 'prior precision τ';

/**
 * Draws the criterion of all candidates of `tune` over their prior precision, with the trained network as dashed lines, and marks what each
 * rule would choose; the chosen one is filled. The band is ± one standard error of the difference to the trained network: where it does not
 * reach the network's line, the difference is more than that. For classes and labels a second panel has the scales of the outputs. A
 * candidate whose criterion is infinite is left out, and what is far above the rest is cut off.
 *
 * @param data titles, and what `tune` resolves with
 * @returns SVG text. Rejects with `InvalidOption` for data that are wrong.
 *
 * @example
 * ```ts no-run
 * import { tuningCurve } from 'tfjs-laplace/plugins/plots';
 *
 * const tried = (precision: number, scale: number, criterion: number) => ({
 *   precision,
 *   scale,
 *   criterion,
 *   difference: { value: criterion - 0.3, standardError: 0.01 },
 * });
 * const candidates = [tried(1, 3, 0.29), tried(10, 2, 0.28), tried(100, 1.5, 0.29)] as const;
 * const [widest, best] = candidates;
 * const network = { plain: tried(Infinity, 1, 0.33), fitted: tried(Infinity, 1.2, 0.3) };
 * const tuning = { candidates, network, choices: { widest, best, evidence: best }, chosen: widest };
 * const svg = await tuningCurve({ title: 'Choice of the prior', criterion: 'NLL (nats)', tuning });
 * svg.includes('widest (chosen), τ = 1'); // => true
 * ```
 */
export const tuningCurve = (data: TuningData): Promise<string> => drawn(tuningSpec, data);

export function tuningSpec(given: TuningData): TopLevelSpec {
  const data = optionsOf('tuningCurve', Data, given);
  const { criterion, tuning } = data;
  const { network, candidates, chosen } = tuning;
  const tried = candidates.filter(hasCriterion);
  const precisions = tried.map(({ precision }) => precision);
  const [first, last] = [Math.min(...precisions) / 1.5, Math.max(...precisions) * 1.5];
  const marks = marksOf(tuning, (precision) => (PANEL * Math.log(precision / first)) / Math.log(last / first));
  const isScaled = [network.fitted, ...tried].some(({ scale }) => scale !== 1);
  const lineOf = (own: Tried, name: string, value: number): Line => {
    const isChosen = chosen.precision === own.precision && chosen.scale === own.scale;
    return { value, words: `${name}${isChosen ? ' (chosen)' : ''}`, isChosen };
  };
  const axis = { title: PRECISION, ...logAxis(first, last) };
  const [low, high] = criterionRange(tuning);
  const top = panelOf({
    field: 'criterion',
    height: 280,
    x: isScaled ? { ...axis, title: null, axis: { ...axis.axis, labels: false } } : axis,
    y: { title: criterion, scale: { type: 'linear', domain: [low, high], nice: false } },
    tried,
    marks,
    lines: [
      ...(hasCriterion(network.plain) ? [lineOf(network.plain, 'network', network.plain.criterion)] : []),
      ...(network.fitted.criterion !== network.plain.criterion && hasCriterion(network.fitted)
        ? [lineOf(network.fitted, 'network, fitted', network.fitted.criterion)]
        : []),
    ],
  });
  const scales = [network.fitted, ...tried].map(({ scale }) => scale);
  const bottom = panelOf({
    field: 'scale',
    height: 120,
    x: axis,
    y: { title: 'output scale s', ...scaleAxis(Math.min(...scales), Math.max(...scales)) },
    tried,
    marks,
    lines: [lineOf(network.fitted, 'network, fitted', network.fitted.scale)],
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: heading(data, BAND),
    spacing: 20,
    // 'flush' leaves labels and the words of marks out of the layout, so that the panels stay together.
    bounds: 'flush',
    vconcat: isScaled ? [top, bottom] : [top],
  };
}

/** From this ratio of the largest scale to the least one on the axis is logarithmic. */
const WIDE = 4;

function scaleAxis(least: number, largest: number) {
  if (largest / least >= WIDE) return logAxis(least / 1.15, largest * 1.15);
  const margin = 0.1 * (largest - least || largest);
  return { scale: { type: 'linear' as const, domain: [least - margin, largest + margin], nice: false } };
}
