/** Puts into words that a posterior predicts worse than the trained network does. */
import { isLaplaceError } from 'tfjs-laplace';
import { type Compared, type Comparison, compare, SAMPLES } from './compare.js';

/** What is to be said about a posterior. */
export interface Warnings {
  /** At once. */
  readonly now?: string;
  /** When somebody samples from it. */
  readonly sampling?: string;
}

/** The warnings about a posterior. Never rejects: a posterior that was computed stays computed. */
export async function warningsAbout(compared: Compared): Promise<Warnings> {
  try {
    const found = await compare(compared);
    if (found === undefined) return {};
    const { linearised, sampled } = found;
    if (isWorse(linearised)) {
      const own = `${figures(linearised)} Averages over ${SAMPLES} samples have ${nats(sampled.posterior)}.`;
      return { now: `Predictions with this posterior are worse than the trained network's own: ${own} ${REMEDIES}` };
    }
    if (!isWorse(sampled)) return {};
    const instead = 'The linearised predictive, predict without samples, is not worse: use it.';
    const own = `with ${SAMPLES} samples, ${figures(sampled)} ${instead} Or narrow the posterior.`;
    return { sampling: `Sampling from this posterior predicts worse than the trained network: ${own} ${REMEDIES}` };
  } catch (error) {
    const why = isLaplaceError(error) || error instanceof Error ? error.message : String(error);
    return { now: `The posterior could not be compared with the trained network, because its predictions fail: ${why}` };
  }
}

const isWorse = ({ network, posterior, allowed }: Comparison): boolean => posterior - network > allowed;

const nats = (value: number): string => `${value.toPrecision(3)} nats`;

const figures = ({ examples, network, posterior }: Comparison): string =>
  `on ${examples} of its training examples the mean negative log-likelihood is ${nats(posterior)}, the network's own is ` +
  `${nats(network)}.`;

const REMEDIES =
  'A larger prior precision helps most: posterior: { priorPrecision: 100 }, or the value that is best on data which was not trained ' +
  "on. maximiseEvidence finds one without such data, but its choice can be worse than the trained network's own predictions too, so " +
  "compare them. Covering fewer layers, posterior: { layers: 'last' }, and a temperature below 1 in predict and sampleModels help as " +
  'well.';
