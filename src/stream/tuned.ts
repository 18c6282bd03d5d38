/** The work of `tune`: candidates on held-out data, round by round, and what each rule would choose among them. */
import { varianceAt } from '../likelihood/noiseVariance.js';
import { best, meanOf, widest } from '../tuning/choose.js';
import { CRITERIA, type Criterion, suits } from '../tuning/criterion.js';
import { descend } from '../tuning/descend.js';
import { fitted, MOST, scaleOfConfidence } from '../tuning/fit.js';
import { type Free, type FreeName, spreadOf, UNCHANGED } from '../tuning/free.js';
import { type HeldOut, readingOf, type Uncertainty } from '../tuning/held.js';
import { bestLayers, type Precisions, ratiosOf } from '../tuning/layers.js';
import { varianceFactors } from '../tuning/noises.js';
import { momentsOf } from '../tuning/numeric.js';
import { type Outlook, outlooks } from '../tuning/outlook.js';
import { BOUNDS, firstPrecisions, nextPrecisions } from '../tuning/search.js';
import type { Examples } from './heldOut.js';
import { type Judged, type Tuning, tuningOf } from './tuning.js';
import { ofEvidence, type Place, posteriorUnder, type Task } from './tuningTask.js';

/**
 * How far below the precision with the highest evidence the widest posterior may go. With a free scale the NLL hardly changes down to there.
 * `npm run bench -- quality` shows what the width does: digits rotated by 90° are told best at a tenth, noise the better the wider. This lies
 * between a tenth and a hundredth.
 */
const WIDER = 30;

/** p: the curvature goes with σ^(−2p). */
const powerOf = ({ noise }: Task): number => noise?.power ?? 1;

/**
 * Tunes on examples.
 *
 * @param onCandidate awaited after each candidate, with the number of candidates so far. What it throws ends the work.
 */
export async function tuned(task: Task, examples: Examples, onCandidate: (tried: number) => Promise<void>): Promise<Tuning> {
  const { given, predictive, search, free } = task;
  const power = powerOf(task);
  const base: Free = { ...UNCHANGED, scale: predictive.scale, temperature: predictive.temperature };
  const network = ofNetwork(task, examples);
  const found: Judged[] = [];
  const tryPlaces = async (places: ReadonlyArray<Place>): Promise<ReadonlyArray<Judged>> => {
    const before = found.length;
    const wanted = places.map(({ precisions, start }) => ({
      posterior: posteriorUnder(task, precisions, 1),
      spread: spreadOf(start, power),
    }));
    for await (const uncertainties of examples.under(wanted)) {
      const place = places[found.length - before] as Place;
      // Neighbours have similar scales.
      const near = (found.at(-1) ?? network.fitted).free.scale;
      found.push(await settled(task, examples, uncertainties, place, network.confidence, near));
      await onCandidate(found.length);
    }
    return found.slice(before);
  };
  const placeAt = (precisions: Precisions): Place => ({ precisions, free, start: base });
  const tryAt = (all: ReadonlyArray<Precisions>): Promise<ReadonlyArray<Judged>> => tryPlaces(all.map(placeAt));
  if (search === 'none') {
    const [own] = (await tryAt([given.layers.map(({ priorPrecision }) => priorPrecision)])) as [Judged];
    return tuningOf(task, network, found, { best: own, widest: own, evidence: own });
  }

  const evidence = ofEvidence(task, base);
  const start = ratiosOf(evidence.precisions).precision;
  const floor = evidence.isMaximum ? start / WIDER : 0;
  /** Searches along one direction: the ratios between the layers stay. */
  const along = async (ratios: ReadonlyArray<number>, middle: number): Promise<ReadonlyArray<Judged>> => {
    const line: Judged[] = [];
    const at = (precision: number): Precisions => ratios.map((ratio) => precision * ratio);
    for (let next = firstPrecisions(middle); next.length > 0; next = nextPrecisions(line, floor))
      line.push(...(await tryAt(next.map(at))));
    return line;
  };
  const equal = given.layers.map(() => 1);
  const nearest = (): Judged => {
    const distance = (own: Judged): number => Math.abs(Math.log(own.precision / start));
    return found.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  };

  if (typeof search !== 'string') {
    await tryAt(search.map((precision) => equal.map(() => precision)));
    return tuningOf(task, network, found, { best: best(found), widest: widest(found, floor), evidence: nearest() });
  }
  const line = await along(equal, start);
  const isOnLine = search === 'one' && evidence.free === free;
  const [byEvidence] = isOnLine ? [nearest()] : ((await tryPlaces([evidence])) as [Judged]);
  if (search === 'one')
    return tuningOf(task, network, found, { best: best(line), widest: widest(line, floor), evidence: byEvidence });
  const top = await bestLayers(best(line), BOUNDS, tryAt);
  const ray = await along(top.ratios, top.precision);
  return tuningOf(task, network, found, { best: best(found), widest: widest(ray, floor), evidence: byEvidence });
}

/** The trained network as a candidate, in its two forms. */
interface OwnNetwork {
  readonly plain: Judged;
  readonly fitted: Judged;
  /** Its mean confidence on the held-out inputs; undefined without classes and labels. */
  readonly confidence: number | undefined;
}

function ofNetwork(task: Task, examples: Examples): OwnNetwork {
  const certain = examples.outputs.map(
    ({ mean }): Uncertainty => ({ _tag: 'covariance', values: new Float32Array(mean.length) }),
  );
  const confidence = lookAt(task, examples, certain)(task.criterion).confidence?.(UNCHANGED);
  const precisions = task.given.layers.map(() => Number.POSITIVE_INFINITY);
  const at = (free: ReadonlyArray<FreeName>, noises: Pick<Free, 'noises'>): Judged =>
    judge(task, examples, certain, { precisions, free, start: { ...UNCHANGED, ...noises } }, confidence, 1);
  const { plain, fitted: own } = noisesOfNetwork(task, examples, certain);
  return {
    plain: at([], plain),
    fitted: at(
      task.free.filter((name) => name !== 'temperature'),
      own,
    ),
    confidence,
  };
}

/** What the noise of each output is multiplied with for the trained network: as it was given, and as it suits the labels best. */
function noisesOfNetwork(
  { perOutput, noise, criterion }: Task,
  { outputs }: Examples,
  certain: ReadonlyArray<Uncertainty>,
): Readonly<Record<'plain' | 'fitted', Pick<Free, 'noises'>>> {
  if (perOutput === undefined || noise === undefined) return { plain: {}, fitted: {} };
  // A likelihood with a noise variance for each output is one of the whole model.
  const [own] = outputs as readonly [HeldOut];
  const noises = varianceFactors(own.truth, momentsOf(own, certain[0] as Uncertainty, 1), 1, criterion);
  return {
    plain: { noises: noises.map((_, c) => varianceAt(perOutput, c) / varianceAt(noise.variance, c)) },
    fitted: { noises },
  };
}

const lookAt = (
  task: Task,
  { outputs, N }: Examples,
  uncertainties: ReadonlyArray<Uncertainty>,
): ((criterion: Criterion) => Outlook) => outlooks(outputs, uncertainties, readingOf(task.predictive, powerOf(task)), N);

/**
 * A candidate with the free numbers that suit it best. A temperature or noise variance of networks that are not linear in their weights is
 * searched with draws under each value. The search begins where the value would suit if they were linear.
 */
async function settled(
  task: Task,
  examples: Examples,
  uncertainties: ReadonlyArray<Uncertainty>,
  place: Place,
  wanted: number | undefined,
  near: number,
): Promise<Judged> {
  const judged = judge(task, examples, uncertainties, place, wanted, near);
  const spreading = place.free.find((name) => name !== 'scale');
  if (examples.isLinear || spreading === undefined) return judged;
  const posterior = posteriorUnder(task, place.precisions, 1);
  const others = place.free.filter((name) => name === 'scale');
  const at = async (logarithm: number): Promise<Judged> => {
    const start: Free = { ...judged.free, scale: place.start.scale, [spreading]: Math.exp(logarithm) };
    for await (const drawn of examples.under([{ posterior, spread: spreadOf(start, powerOf(task)) }]))
      return judge(task, examples, drawn, { ...place, free: others, start }, wanted, near);
    throw new Error('a candidate that was asked for has draws');
  };
  return descend(at, ({ losses }) => meanOf(losses), Math.log(judged.free[spreading]), MOST);
}

/** The free numbers that suit a candidate best. */
function suited(
  { criterion }: Task,
  look: (criterion: Criterion) => Outlook,
  { free: names, start }: Place,
  wanted: number | undefined,
  near: number,
): Free {
  const own = look(criterion);
  const { confidence } = own;
  const isScaled = names.includes('scale') && confidence !== undefined && wanted !== undefined;
  const centre = isScaled ? scaleOfConfidence((scale) => confidence({ ...start, scale }), wanted, near) : undefined;
  return fitted(own, { names, start: isScaled ? { ...start, scale: near } : start, centre }, () => look('nll'));
}

/** A candidate with the free numbers that suit it best. */
function judge(
  task: Task,
  examples: Examples,
  uncertainties: ReadonlyArray<Uncertainty>,
  place: Place,
  wanted: number | undefined,
  near: number,
): Judged {
  const look = lookAt(task, examples, uncertainties);
  const free = suited(task, look, place, wanted, near);
  const { losses } = look(task.criterion).judge(free);
  const predicts = examples.outputs.map(({ truth }) => truth.predicts);
  const criteria = CRITERIA.filter((name) => predicts.every((kind) => suits(name, kind))).map(
    (name) => [name, meanOf(name === task.criterion ? losses : look(name).judge(free).losses)] as const,
  );
  const { precisions } = place;
  const isPosterior = precisions.every(Number.isFinite);
  return {
    ...(isPosterior ? ratiosOf(precisions) : { precision: Number.POSITIVE_INFINITY, ratios: precisions.map(() => 1) }),
    free,
    losses,
    criteria: Object.freeze(Object.fromEntries(criteria)),
  };
}
