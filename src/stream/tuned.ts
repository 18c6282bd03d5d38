/** The work of `tune`: candidates on held-out data, round by round, and what each rule would choose among them. */
import type { Posteriors } from '../predictive/linearised/candidates.js';
import { best, meanOf, widest } from '../tuning/choose.js';
import { CRITERIA, type Criterion, suits } from '../tuning/criterion.js';
import { fitted, scaleOfConfidence } from '../tuning/fit.js';
import { type Free, type FreeName, UNCHANGED } from '../tuning/free.js';
import { bestLayers, type Precisions, ratiosOf } from '../tuning/layers.js';
import { type Outlook, outlooks } from '../tuning/outlook.js';
import { BOUNDS, firstPrecisions, nextPrecisions } from '../tuning/search.js';
import type { Examples } from './heldOut.js';
import { type Judged, type Tuning, tuningOf } from './tuning.js';
import { ofEvidence, type Place, posteriorUnder, type Task } from './tuningTask.js';

/**
 * Tunes on examples.
 *
 * @param onCandidate awaited after each candidate, with the number of candidates so far. What it throws ends the work.
 */
export async function tuned(task: Task, examples: Examples, onCandidate: (tried: number) => Promise<void>): Promise<Tuning> {
  const { given, predictive, search, free } = task;
  const base: Free = { ...UNCHANGED, scale: predictive.scale, temperature: predictive.temperature };
  const network = ofNetwork(task, examples);
  const found: Judged[] = [];
  const tryPlaces = async (places: ReadonlyArray<Place>): Promise<ReadonlyArray<Judged>> => {
    if (places.length === 0) return [];
    const all = await examples.under(
      places.map(({ precisions }) => posteriorUnder(task, precisions, 1)) as unknown as Posteriors,
    );
    for (const [k, place] of places.entries()) {
      // Neighbours have similar scales.
      const near = (found.at(-1) ?? network.fitted).free.scale;
      found.push(judge(task, examples, all[k] as ReadonlyArray<Float32Array>, place, network.confidence, near));
      await onCandidate(found.length);
    }
    return found.slice(-places.length);
  };
  const placeAt = (precisions: Precisions): Place => ({ precisions, free, start: base });
  const tryAt = (all: ReadonlyArray<Precisions>): Promise<ReadonlyArray<Judged>> => tryPlaces(all.map(placeAt));
  if (search === 'none') {
    const [own] = (await tryAt([given.layers.map(({ priorPrecision }) => priorPrecision)])) as [Judged];
    return tuningOf(task, network, found, { best: own, widest: own, evidence: own });
  }

  const evidence = ofEvidence(task, base);
  const start = ratiosOf(evidence.precisions).precision;
  const floor = evidence.isMaximum ? start : 0;
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
  const none = examples.outputs.map(({ mean }) => new Float32Array(mean.length));
  const confidence = lookAt(task, examples, none)(task.criterion).confidence?.(UNCHANGED);
  const precisions = task.given.layers.map(() => Number.POSITIVE_INFINITY);
  const at = (free: ReadonlyArray<FreeName>): Judged =>
    judge(task, examples, none, { precisions, free, start: UNCHANGED }, confidence, 1);
  return { plain: at([]), fitted: at(task.free.filter((name) => name !== 'temperature')), confidence };
}

const lookAt = (
  { predictive, noise }: Task,
  { outputs, N }: Examples,
  covariances: ReadonlyArray<Float32Array>,
): ((criterion: Criterion) => Outlook) => outlooks(outputs, covariances, { ...predictive, power: noise?.power ?? 1 }, N);

/** A candidate with the free numbers that suit it best. */
function judge(
  task: Task,
  examples: Examples,
  covariances: ReadonlyArray<Float32Array>,
  { precisions, free: names, start }: Place,
  wanted: number | undefined,
  near: number,
): Judged {
  const look = lookAt(task, examples, covariances);
  const own = look(task.criterion);
  const { confidence } = own;
  const isScaled = names.includes('scale') && confidence !== undefined && wanted !== undefined;
  const centre = isScaled ? scaleOfConfidence((scale) => confidence({ ...start, scale }), wanted, near) : undefined;
  const guide = (): Outlook => look('nll');
  const free = fitted(own, { names, start: isScaled ? { ...start, scale: near } : start, centre }, guide);
  const { losses } = own.judge(free);
  const predicts = examples.outputs.map(({ truth }) => truth.predicts);
  const criteria = CRITERIA.filter((name) => predicts.every((kind) => suits(name, kind))).map(
    (name) => [name, meanOf(name === task.criterion ? losses : look(name).judge(free).losses)] as const,
  );
  const isPosterior = precisions.every(Number.isFinite);
  return {
    ...(isPosterior ? ratiosOf(precisions) : { precision: Number.POSITIVE_INFINITY, ratios: precisions.map(() => 1) }),
    free,
    losses,
    criteria: Object.freeze(Object.fromEntries(criteria)),
  };
}
