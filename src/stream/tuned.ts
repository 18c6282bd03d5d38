/** The work of `tune`: candidates on held-out data, round by round, and the choice among them. */
import { either as E } from 'fp-ts';
import { differenceOf, type Estimate } from '../metrics/estimate.js';
import { orThrow } from '../orThrow.js';
import { maximiseEvidence } from '../posterior/maximiseEvidence.js';
import { type NoiseVariance, noiseTimes } from '../posterior/noise.js';
import type { Posterior } from '../posterior/posterior.js';
import { isotropic, type Prior, perLayer } from '../posterior/priors.js';
import { withNoiseVariance } from '../posterior/withNoiseVariance.js';
import { withPrior } from '../posterior/withPrior.js';
import { linearised, type Predictive, type PredictiveOf } from '../predictive/codec.js';
import type { Posteriors } from '../predictive/linearised/candidates.js';
import { best, type Candidate, meanOf, type Verdict, verdictOf, widest } from '../tuning/choose.js';
import type { TuningRule } from '../tuning/codec.js';
import { CRITERIA, type Criterion, type CriterionName, suits } from '../tuning/criterion.js';
import { fitted, scaleOfConfidence } from '../tuning/fit.js';
import { type Free, type FreeName, UNCHANGED } from '../tuning/free.js';
import { bestLayers, type Precisions, precisionsOf, ratiosOf } from '../tuning/layers.js';
import { type Outlook, outlooks } from '../tuning/outlook.js';
import { BOUNDS, firstPrecisions, nextPrecisions } from '../tuning/search.js';
import type { Examples } from './heldOut.js';

/** One candidate on the held-out data. */
export interface Tried {
  /** τ; infinite for the trained network itself. With precisions for each layer it is their geometric mean. */
  readonly precision: number;
  /** τ of each layer by its name, if they were chosen. */
  readonly precisions?: Readonly<Record<string, number>>;
  /** s; 1 if the model predicts no classes or labels. */
  readonly scale: number;
  /** T. */
  readonly temperature: number;
  /** σ², if it was chosen. */
  readonly noiseVariance?: NoiseVariance;
  /** The mean criterion over the examples. */
  readonly criterion: number;
  /** The means of all criteria by name that suit the model. */
  readonly criteria: Readonly<Partial<Record<CriterionName, number>>>;
  /** The mean of the criterion less that of the trained network (the better of its two forms), and its standard error. */
  readonly difference: Estimate;
}

/** What `tune` found. */
export interface Tuning {
  /** The posterior under the chosen prior, and under the chosen noise variance. */
  readonly posterior: Posterior;
  /** The predictive with the chosen scale and temperature. The temperature is 0 if nothing is better than the trained network. */
  readonly predictive: Predictive;
  readonly chosen: Tried;
  /** How the chosen candidate compares with the trained network: by more than the standard error of the difference, or the same. */
  readonly verdict: Verdict;
  /** What each rule would choose. */
  readonly choices: Readonly<Record<TuningRule, Tried>>;
  /** The trained network as it is; and with the scale (the inverse of its best temperature) and noise variance that suit it best. */
  readonly network: Readonly<Record<'plain' | 'fitted', Tried>>;
  /** Every candidate, in ascending order of its precision. */
  readonly candidates: ReadonlyArray<Tried>;
}

/** What is to be tuned, and how. */
export interface Task {
  readonly given: Posterior;
  readonly predictive: PredictiveOf<'linearised'>;
  readonly criterion: Criterion;
  readonly rule: TuningRule;
  /** Whether precisions are searched: one, or one for each layer; or the precisions to try. */
  readonly search: 'none' | 'one' | 'layers' | ReadonlyArray<number>;
  /** The free numbers that are fitted. */
  readonly free: ReadonlyArray<FreeName>;
  /** σ₀² and p; undefined if the likelihood has no noise variance. */
  readonly noise: { readonly variance: NoiseVariance; readonly power: number } | undefined;
}

/** A candidate with the means of all criteria. */
interface Judged extends Candidate {
  readonly criteria: Tried['criteria'];
}

/** A place to try: the layers' precisions, and what is fitted from which start. */
interface Place {
  readonly precisions: Precisions;
  readonly free: ReadonlyArray<FreeName>;
  readonly start: Free;
}

/**
 * Tunes on examples.
 *
 * @param onCandidates called after each round with the number of candidates so far
 */
export async function tuned(task: Task, examples: Examples, onCandidates: (tried: number) => void): Promise<Tuning> {
  const { given, predictive, search, free } = task;
  const layers = given.layers.length;
  const base: Free = { ...UNCHANGED, scale: predictive.scale, temperature: predictive.temperature };
  const network = ofNetwork(task, examples);
  const evidence = ofEvidence(task, base);
  const start = ratiosOf(evidence.precisions).precision;
  const floor = evidence.isMaximum ? start : 0;
  const found: Judged[] = [];
  const tryPlaces = async (places: ReadonlyArray<Place>): Promise<ReadonlyArray<Judged>> => {
    if (places.length === 0) return [];
    const all = await examples.under(
      places.map(({ precisions }) => posteriorUnder(task, precisions, 1)) as unknown as Posteriors,
    );
    const judged = places.map((place, k) => {
      // Neighbours have similar scales.
      const near = (found.at(-1) ?? network.fitted).free.scale;
      const own = judge(task, examples, all[k] as ReadonlyArray<Float32Array>, place, network.confidence, near);
      found.push(own);
      return own;
    });
    onCandidates(found.length);
    return judged;
  };
  const placeAt = (precisions: Precisions): Place => ({ precisions, free, start: base });
  const tryAt = (all: ReadonlyArray<Precisions>): Promise<ReadonlyArray<Judged>> => tryPlaces(all.map(placeAt));
  /** Searches along one direction: the ratios between the layers stay. */
  const along = async (ratios: ReadonlyArray<number>, start: number): Promise<ReadonlyArray<Judged>> => {
    const line: Judged[] = [];
    const at = (precision: number): Precisions => ratios.map((ratio) => precision * ratio);
    for (let next = firstPrecisions(start); next.length > 0; next = nextPrecisions(line, floor))
      line.push(...(await tryAt(next.map(at))));
    return line;
  };
  const equal = Array.from({ length: layers }, () => 1);
  const nearest = (): Judged => {
    const distance = (own: Judged): number => Math.abs(Math.log(own.precision / start));
    return found.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  };

  if (search === 'none') {
    const [own] = (await tryAt([given.layers.map(({ priorPrecision }) => priorPrecision)])) as [Judged];
    return result(task, network, found, { best: own, widest: own, evidence: own });
  }
  if (typeof search !== 'string') {
    await tryAt(search.map((precision) => equal.map(() => precision)));
    return result(task, network, found, { best: best(found), widest: widest(found, floor), evidence: nearest() });
  }
  const line = await along(equal, start);
  const isOnLine = search === 'one' && evidence.free === free;
  const [byEvidence] = isOnLine ? [nearest()] : ((await tryPlaces([evidence])) as [Judged]);
  if (search === 'one')
    return result(task, network, found, { best: best(line), widest: widest(line, floor), evidence: byEvidence });
  const top = await bestLayers(best(line), BOUNDS, tryAt);
  const ray = await along(top.ratios, top.precision);
  return result(task, network, found, { best: best(found), widest: widest(ray, floor), evidence: byEvidence });
}

/** The prior of each layer's precision. */
const priorOf = ({ layers }: Posterior, precisions: Precisions): Prior => {
  const [first] = precisions as [number];
  return precisions.every((tau) => tau === first)
    ? isotropic(first)
    : perLayer(Object.fromEntries(layers.map(({ name }, l) => [name, precisions[l] as number])));
};

/** The posterior under precisions that were given at σ₀², and under κ σ₀². */
function posteriorUnder({ given, noise }: Task, precisions: Precisions, kappa: number): Posterior {
  const factor = kappa ** (noise?.power ?? 1);
  const under = orThrow(
    withPrior(
      given,
      priorOf(
        given,
        precisions.map((tau) => tau / factor),
      ),
    ),
  );
  return kappa === 1 || noise === undefined ? under : orThrow(withNoiseVariance(under, noiseTimes(noise.variance, kappa)));
}

/** Where the evidence is highest, with its own noise variance if that is chosen. Where it has no maximum: the posterior's own prior. */
function ofEvidence({ given, search, free, noise }: Task, base: Free): Place & { readonly isMaximum: boolean } {
  const isNoisy = noise !== undefined && free.includes('noise');
  const own = given.layers.map(({ priorPrecision }) => priorPrecision);
  const options = { per: search === 'layers' ? 'layer' : 'all', noise: isNoisy ? 'estimated' : 'fixed' } as const;
  return E.match(
    () => ({ precisions: own, free, start: base, isMaximum: false }),
    ({ posterior, noiseVariance }: { readonly posterior: Posterior; readonly noiseVariance?: NoiseVariance }) => {
      const found = posterior.layers.map(({ priorPrecision }) => priorPrecision);
      if (!isNoisy || noiseVariance === undefined) return { precisions: found, free, start: base, isMaximum: true };
      const kappa = firstOf(noiseVariance) / firstOf(noise.variance);
      return {
        precisions: found.map((tau) => tau * kappa ** noise.power),
        free: free.filter((name) => name !== 'noise'),
        start: { ...base, noise: kappa },
        isMaximum: true,
      };
    },
  )(maximiseEvidence(given, options));
}

const firstOf = (variance: NoiseVariance): number => (typeof variance === 'number' ? variance : (variance[0] as number));

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
  const predicts = examples.outputs.map(({ truth }) => truth.predicts);
  const criteria = CRITERIA.filter((name) => predicts.every((kind) => suits(name, kind))).map(
    (name) => [name, meanOf(look(name).judge(free).losses)] as const,
  );
  const isPosterior = precisions.every(Number.isFinite);
  return {
    ...(isPosterior ? ratiosOf(precisions) : { precision: Number.POSITIVE_INFINITY, ratios: precisions.map(() => 1) }),
    free,
    losses: own.judge(free).losses,
    criteria: Object.freeze(Object.fromEntries(criteria)),
  };
}

function result(
  task: Task,
  { plain, fitted: fittedNetwork }: OwnNetwork,
  found: ReadonlyArray<Judged>,
  choices: Readonly<Record<TuningRule, Judged>>,
): Tuning {
  const { given, predictive, noise } = task;
  const baseline = best([plain, fittedNetwork]);
  const choice = choices[task.rule];
  const isWorse = verdictOf(choice.losses, baseline.losses) === 'worse';
  const winner = isWorse ? baseline : choice;
  const isNoisy = noise !== undefined && task.free.includes('noise');
  const tried = (own: Judged): Tried => {
    const factor = own.free.noise ** (noise?.power ?? 1);
    const precisions = precisionsOf(own).map((tau) => tau / factor);
    return Object.freeze({
      precision: own.precision / factor,
      ...(task.search === 'layers' && {
        precisions: Object.freeze(Object.fromEntries(given.layers.map(({ name }, l) => [name, precisions[l] as number]))),
      }),
      scale: own.free.scale,
      temperature: own.free.temperature,
      ...(isNoisy && { noiseVariance: noiseTimes(noise.variance, own.free.noise) }),
      criterion: meanOf(own.losses),
      criteria: own.criteria,
      difference: Object.freeze(differenceOf(own.losses, baseline.losses)),
    });
  };
  const { link, samples, seed } = predictive;
  const { scale, temperature } = winner.free;
  return Object.freeze({
    posterior: posteriorUnder(task, precisionsOf(choice), winner.free.noise),
    predictive: linearised({ link, samples, seed, temperature: isWorse ? 0 : temperature, scale }),
    chosen: tried(winner),
    verdict: verdictOf(winner.losses, baseline.losses),
    choices: Object.freeze({
      best: tried(choices.best),
      widest: tried(choices.widest),
      evidence: tried(choices.evidence),
    }),
    network: Object.freeze({ plain: tried(plain), fitted: tried(fittedNetwork) }),
    candidates: Object.freeze([...found].sort((a, b) => a.precision - b.precision).map(tried)),
  });
}
