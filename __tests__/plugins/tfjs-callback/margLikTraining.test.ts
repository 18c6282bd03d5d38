/**
 * Training under empirical Bayes against laplace-torch's `marglik_training`, epoch by epoch: the evidence and its slopes on the way,
 * and the way itself when both go to the maximum. `reference/generate.py` made the values in float64.
 */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  categorical,
  evidence,
  evidenceGradient,
  full,
  gaussian,
  kfac,
  type Likelihood,
  type Posterior,
  toPosterior,
} from 'tfjs-laplace';
import { type EpochEvidence, type EvidenceCallbackOptions, evidenceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { distance, pass } from '../../support/factors.js';
import reference from './reference/margLikTraining.json' with { type: 'json' };

type Weights = ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>;

/** The evidence at the weights of an epoch, under certain hyperparameters. */
interface Point {
  readonly priorPrecision: ReadonlyArray<number>;
  readonly noiseVariance?: number;
  readonly logMarginalLikelihood: number;
  readonly logPrecisionSlopes: ReadonlyArray<number>;
  readonly logNoiseSlope?: number;
}

interface Epoch {
  readonly epoch: number;
  readonly weights: Weights;
  /** Before and after the steps in the hyperparameters, if the epoch has any. */
  readonly before?: Point;
  readonly after?: Point;
}

interface Run {
  readonly epochs: ReadonlyArray<Epoch>;
  /** What `marglik_training` returns. */
  readonly best: { readonly weights: Weights; readonly priorPrecision: ReadonlyArray<number>; readonly noiseVariance?: number };
}

interface Case {
  readonly name: string;
  readonly likelihood: string;
  readonly structure: string;
  readonly per: string;
  readonly frequency: number;
  readonly burnIn: number;
  readonly rate: number;
  readonly sizes: ReadonlyArray<number>;
  readonly useBias: boolean;
  readonly initial: Weights;
  readonly x: ReadonlyArray<ReadonlyArray<number>>;
  readonly y: ReadonlyArray<number | ReadonlyArray<number>>;
  readonly runs: {
    readonly maximum: Run;
    readonly defaults: Run;
    readonly defaultsAsReleased?: Run;
    readonly maximumAsReleased?: Run;
  };
}

const CASES = reference as unknown as ReadonlyArray<Case>;
const named = (name: string): Case => CASES.find((one) => one.name === name) as Case;
const LAYERS = ['hidden', 'output'] as const;

/** The network with its first weights, compiled with gradient descent on the mean loss. */
function networkOf({ sizes: [inputs, hidden, outputs], useBias, likelihood, rate, initial }: Case): tf.Sequential {
  const classes = likelihood === 'classification';
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: LAYERS[0], units: hidden as number, activation: 'tanh', useBias, inputShape: [inputs as number] }),
      tf.layers.dense({ name: LAYERS[1], units: outputs as number, activation: classes ? 'softmax' : 'linear', useBias }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(rate), loss: classes ? 'categoricalCrossentropy' : 'meanSquaredError' });
  setWeights(model, initial);
  return model;
}

const setWeights = (model: tf.LayersModel, weights: Weights): void =>
  tf.tidy(() =>
    model.setWeights(
      model.layers.flatMap((layer, i) => {
        const rows = (weights[i] as Weights[number]).map((row) => [...row]);
        const [kernel, bias] = layer.weights.length > 1 ? [rows.slice(0, -1), rows.slice(-1).flat()] : [rows, undefined];
        return [tf.tensor2d(kernel), ...(bias === undefined ? [] : [tf.tensor1d(bias)])];
      }),
    ),
  );

const weightsOf = (model: tf.LayersModel): number[] => model.getWeights().flatMap((w) => Array.from(w.dataSync()));

const dataOf = ({ x, y, likelihood }: Case): { x: tf.Tensor; y: tf.Tensor } => ({
  x: tf.tensor2d(x as number[][]),
  y: likelihood === 'classification' ? tf.oneHot(tf.tensor1d(y as number[], 'int32'), 3).toFloat() : tf.tensor2d(y as number[][]),
});

const likelihoodOf = ({ likelihood }: Case, noiseVariance = 1): Likelihood =>
  likelihood === 'classification' ? categorical() : gaussian({ noiseVariance });

const curvatureOf = ({ structure }: Case) => (structure === 'full' ? full() : kfac());

const precisionOf = ({ per }: Case, [first, second]: ReadonlyArray<number>): number | Record<string, number> =>
  per === 'layer' ? { [LAYERS[0]]: first as number, [LAYERS[1]]: second as number } : (first as number);

/** Our slopes in the logarithms of the precisions that a case has. */
const slopesOf = ({ per }: Case, posterior: Posterior): ReadonlyArray<number> => {
  const { logPrecisions, logPrecision } = evidenceGradient(posterior);
  return per === 'layer' ? LAYERS.map((name) => logPrecisions[name] as number) : [logPrecision];
};

/** The precisions that were found, as `marglik_training` lists them. */
const precisionsOf = ({ prior }: EpochEvidence): ReadonlyArray<number> => {
  if (prior._tag === 'isotropic') return [prior.precision];
  return prior._tag === 'perLayer' ? LAYERS.map((name) => prior.precisions[name] as number) : [];
};

const evaluated = ({ epochs }: Run): ReadonlyArray<Epoch & Required<Pick<Epoch, 'before' | 'after'>>> =>
  epochs.flatMap(({ before, after, ...epoch }) => (before && after ? [{ ...epoch, before, after }] : []));

/** Trains with the callback on the whole data as one batch. */
async function trained(own: Case, options: Partial<EvidenceCallbackOptions>, epochs: number) {
  const model = networkOf(own);
  const { x, y } = dataOf(own);
  const callback = evidenceCallback({ likelihood: likelihoodOf(own), curvature: curvatureOf(own), ...options });
  const weights: number[][] = [];
  const watch = new tf.CustomCallback({
    onEpochEnd: () => {
      weights.push(weightsOf(model));
    },
  });
  const fit = { epochs, batchSize: own.x.length, shuffle: false, verbose: 0 };
  await model.fit(x, y, { ...fit, callbacks: [watch, callback] });
  return { model, callback, weights };
}

// marglik_training evaluates at the multiples of its frequency from its burn-in on, counted from 1. We count from the end of ours.
const burnInOf = ({ frequency, burnIn }: Case): number => frequency * (Math.ceil(Math.max(burnIn, 1) / frequency) - 1);

describe.each(CASES.map((own) => [own.name, own] as const))('%s', (_, own) => {
  it.each(['maximum', 'defaults'] as const)('has its evidence and slopes in every epoch of the run %s', async (kind) => {
    const model = networkOf(own);
    const data = dataOf(own);
    for (const { weights, before, after } of evaluated(own.runs[kind])) {
      setWeights(model, weights);
      for (const point of [before, after]) {
        const factors = await pass(model, likelihoodOf(own, point.noiseVariance), data, curvatureOf(own), own.x.length);
        const posterior = await lastValueFrom(
          of(factors).pipe(toPosterior({ priorPrecision: precisionOf(own, point.priorPrecision) })),
        );
        // Terms up to 100 nats in float32: 16 roundings of 6e-8 each.
        expect(Math.abs(evidence(posterior).logMarginalLikelihood - point.logMarginalLikelihood)).toBeLessThan(1e-4);
        slopesOf(own, posterior).forEach((slope, i) => {
          expect(Math.abs(slope - (point.logPrecisionSlopes[i] as number))).toBeLessThan(1e-4);
        });
        const { logNoiseVariance } = evidenceGradient(posterior);
        expect(logNoiseVariance === undefined).toBe(point.logNoiseSlope === undefined);
        expect(Math.abs((logNoiseVariance ?? 0) - (point.logNoiseSlope ?? 0))).toBeLessThan(1e-4);
      }
    }
    tf.dispose([data.x, data.y]);
  });
});

const SAME_LOSS = CASES.filter(({ name }) => name !== 'two numbers');

it.each(SAME_LOSS.map((own) => [own.name, own] as const))(
  '%s: training goes the same way to the same maximum',
  async (_, own) => {
    const { maximum } = own.runs;
    const options = { per: own.per as 'all' | 'layer', every: own.frequency, burnIn: burnInOf(own) };
    const { model, callback, weights } = await trained(own, options, maximum.epochs.length);
    const found = await lastValueFrom(callback.evidence$.pipe(toArray()));
    const expected = evaluated(maximum);
    expect(found.map(({ epoch }) => epoch)).toEqual(expected.map(({ epoch }) => epoch));
    // Ten steps in float32, each with a few roundings of 6e-8 relative to the largest weight.
    maximum.epochs.forEach((epoch, i) => {
      expect(distance(weights[i] as number[], epoch.weights.flat(2))).toBeLessThan(2e-6);
    });
    found.forEach((ours, i) => {
      const { after } = expected[i] as (typeof expected)[number];
      // Slopes known to 3e-5, over their own slopes at the maximum: at least γ / 2 > 0.8 in log τ, and (N C − γ) / 2 > 9 in log σ².
      precisionsOf(ours).forEach((tau, k) => {
        expect(Math.abs(tau / (after.priorPrecision[k] as number) - 1)).toBeLessThan(5e-5);
      });
      expect(Math.abs(((ours.noiseVariance as number | undefined) ?? 1) / (after.noiseVariance ?? 1) - 1)).toBeLessThan(1e-5);
      expect(Math.abs(ours.evidence.logMarginalLikelihood - after.logMarginalLikelihood)).toBeLessThan(1e-4);
    });
    expect(distance(weightsOf(model), maximum.best.weights.flat(2))).toBeLessThan(2e-6);
  },
);

describe('where marglik_training differs', () => {
  /** The least and the most by which runs are lower than the run `maximum`, as README states them. */
  const range = (kind: 'defaults' | 'defaultsAsReleased', at: 0 | -1): ReadonlyArray<string> => {
    const evidenceOf = (run: Run): number => evaluated(run).at(at)?.after.logMarginalLikelihood as number;
    const lower = CASES.flatMap(({ runs }) => {
      const theirs = runs[kind];
      return theirs === undefined ? [] : [evidenceOf(runs.maximum) - evidenceOf(theirs)];
    });
    return [Math.min(...lower), Math.max(...lower)].map((nats) => nats.toFixed(2));
  };

  it('its evidence is this far from the maximum', () => {
    expect(range('defaults', 0)).toEqual(['0.02', '1.19']);
    expect(range('defaults', -1)).toEqual(['-0.04', '0.01']);
    expect(range('defaultsAsReleased', -1)).toEqual(['0.37', '1.45']);
  });

  it('with Kronecker factors its σ² goes to the mean squared residual instead of the maximum of the evidence', () => {
    for (const own of CASES.filter(({ runs }) => runs.maximumAsReleased !== undefined)) {
      const [{ weights, after }] = evaluated(own.runs.maximumAsReleased as Run) as [ReturnType<typeof evaluated>[number]];
      const residuals = tf.tidy(() => {
        const model = networkOf(own);
        setWeights(model, weights);
        const { x, y } = dataOf(own);
        return tf.mean(tf.square(tf.sub(model.predict(x) as tf.Tensor, y))).dataSync()[0] as number;
      });
      expect((after.noiseVariance as number) / residuals).toBeCloseTo(1, 5);
      expect(after.logNoiseSlope as number).toBeGreaterThan(2);
    }
  });

  it('with C outputs its prior weighs C times as much in training as in its evidence', async () => {
    const own = named('two numbers');
    const [expected] = own.runs.maximum.epochs as [Epoch];
    const step = async (priorPrecision: number) => {
      const { weights } = await trained(own, { priorPrecision, burnIn: 1 }, 1);
      return distance(weights[0] as number[], expected.weights.flat(2));
    };
    expect(await step(2)).toBeLessThan(1e-6);
    expect(await step(1)).toBeGreaterThan(1e-3);
  });
});
