/** Puts into words that a posterior predicts worse than the trained network does. */
import { isLaplaceError, type Tuning } from 'tfjs-laplace';
import { type Compared, type Comparison, compare, compareSamples, SAMPLES } from './compare.js';
import { isNetwork } from './tuning.js';

/** What is to be said about a posterior. */
export interface Warnings {
  /** At once. */
  readonly now?: string;
  /** When somebody samples from it at this temperature or a higher one. */
  readonly sampling?: { readonly line: string; readonly temperature: number };
}

/** The warnings about a posterior. Never rejects: a posterior that was computed stays computed. */
export async function warningsAbout(compared: Compared, tuning: Tuning | undefined): Promise<Warnings> {
  try {
    return await (tuning === undefined ? untuned(compared) : tuned(compared, tuning));
  } catch (error) {
    const why = isLaplaceError(error) || error instanceof Error ? error.message : String(error);
    return { now: `The posterior could not be compared with the trained network, because its predictions fail: ${why}` };
  }
}

async function untuned(compared: Compared): Promise<Warnings> {
  const found = await compare(compared);
  if (found === undefined) return {};
  const { linearised, sampled } = found;
  if (isWorse(linearised)) {
    const own = `${figures(linearised, 'training')} Averages over ${SAMPLES} samples have ${nats(sampled.posterior)}.`;
    return { now: `Predictions with this posterior are worse than the trained network's own: ${own} ${REMEDIES}` };
  }
  const instead = `The linearised predictive, predict without samples, is not worse: use it. Or narrow the posterior. ${REMEDIES}`;
  return ofSampling(sampled, 'training', 1, instead);
}

/**
 * A tuned predictive is not compared again. `tune` compared it on data that count for more than training examples, by the criterion that was
 * asked for, and gave the network's own predictions if nothing was better. Only this has to be said: predictions then have no uncertainty
 * of the weights. Samples were not compared, and no scale makes up for what a wide posterior does to them.
 */
async function tuned(compared: Compared, tuning: Tuning): Promise<Warnings> {
  const temperature = tuning.predictive.temperature || 1;
  const sampled = await compareSamples(compared, temperature);
  return {
    ...(isNetwork(tuning) && { now: NETWORK }),
    ...(sampled !== undefined && ofSampling(sampled, 'validation', temperature, NO_SCALE)),
  };
}

function ofSampling(sampled: Comparison, kind: Kind, temperature: number, remedies: string): Warnings {
  if (!isWorse(sampled)) return {};
  const own = `with ${SAMPLES} samples, ${figures(sampled, kind)} ${remedies}`;
  return { sampling: { line: `Sampling from this posterior predicts worse than the trained network: ${own}`, temperature } };
}

/** The examples that were compared. */
type Kind = 'training' | 'validation';

const isWorse = ({ network, posterior, allowed }: Comparison): boolean => posterior - network > allowed;

const nats = (value: number): string => `${value.toPrecision(3)} nats`;

const figures = ({ examples, network, posterior }: Comparison, kind: Kind): string =>
  `on ${examples} of its ${kind} examples the mean negative log-likelihood is ${nats(posterior)}, the network's own is ` +
  `${nats(network)}.`;

const REMEDIES =
  'Tuning on examples that were not trained on helps most: fit(data, { validation: { x, y } }). Without them, take a larger prior ' +
  'precision: posterior: { priorPrecision: 100 }. maximiseEvidence finds one, but its choice can be worse than the trained ' +
  "network's own predictions too, so compare them. Covering fewer layers, posterior: { layers: 'last' }, and a temperature below 1 " +
  'in predict and sampleModels help as well.';

const NO_SCALE =
  'The tuned scale belongs to the linearised predictive, predict without samples: use it. Or tune a posterior that needs no scale: ' +
  "tuning: { over: ['precision'], rule: 'best' }. A temperature below the tuned one in predict and sampleModels helps as well.";

const NETWORK =
  "No posterior predicts the validation examples as well as the trained network: predictions are the network's own, at temperature 0, " +
  'without uncertainty of its weights. The method tuning() gives all candidates. A temperature in predict and sampleModels takes the ' +
  'posterior all the same.';
