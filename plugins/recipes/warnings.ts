/** What a report says before anything else: results that are no better than the trained network's own. */
import type { Tuning } from 'tfjs-laplace';
import type { OutputReport } from './report.js';

/** How many standard errors a difference has to have before it is told. */
const CLEAR = 2;

/** The warnings about what a run found, in sentences. */
export const warningsAbout = (outputs: ReadonlyArray<OutputReport>, tuning: Tuning | undefined): ReadonlyArray<string> => [
  ...(tuning?.predictive.temperature === 0 ? [NETWORK] : []),
  ...outputs.flatMap(worse),
  ...outputs.flatMap(nothingKept),
];

const NETWORK =
  'No posterior predicts the held-out examples as well as the trained network: predictions are its own, at temperature 0, without ' +
  'uncertainty of its weights.';

function worse({ output, evaluation }: OutputReport): ReadonlyArray<string> {
  const nll = evaluation?.metrics.find(({ name }) => name === 'nll' || name === 'gaussianNll');
  if (nll?.difference === undefined || !(nll.difference.value > CLEAR * nll.difference.standardError)) return [];
  const { value, standardError } = nll.difference;
  return [
    `On the test examples the negative log-likelihood of '${output}' is higher than the trained network's own, by ` +
      `${value.toPrecision(3)} ± ${standardError.toPrecision(2)}. Give held-out examples, so that the prior is chosen; or take a larger ` +
      'prior precision.',
  ];
}

const nothingKept = ({ output, abstention }: OutputReport): ReadonlyArray<string> =>
  abstention?.rule._tag === 'keepNone'
    ? [`No threshold on the entropy of '${output}' has a risk that is low enough: every prediction is handed on.`]
    : [];
