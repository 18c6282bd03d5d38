/** A posterior's predictions against the trained network's own, for every likelihood, and the warning that follows. */
import * as tf from '@tensorflow/tfjs';
import {
  bernoulli,
  categorical,
  customLikelihood,
  functionSampling,
  gaussian,
  heteroscedastic,
  kfac,
  type Labels,
  type Likelihood,
  perOutput,
  perStep,
  poisson,
} from 'tfjs-laplace';
import { forward, ownBatch, readNetwork } from 'tfjs-laplace/extend';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { type SmallDigits, smallDigits, trainedOn } from '../../../bench/digits.js';
import { ALLOWED, type Comparisons, compare } from '../../../plugins/laplace-approximation/compare.js';
import { nllOf } from '../../../plugins/laplace-approximation/nll.js';
import { headData, twoHeads } from '../../support/heads.js';
import { right } from '../../support/math/laplace.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../../support/math/networks.js';
import { expectNoLeak } from '../../support/memory.js';

const N = 12;
const [CLASS, NUMBER] = [ALLOWED.classes, ALLOWED.numbers];

interface Case {
  readonly likelihood: Likelihood;
  readonly model: tf.LayersModel;
  readonly y: Labels;
  /** What the posterior may be worse by. */
  readonly allowed: number;
}

const classes = () => tf.tidy(() => tf.range(0, N).mod(3).toInt()) as tf.Tensor1D;
const numbers = (...shape: number[]) => tf.tidy(() => tf.reshape(tf.sin(tf.range(0, tf.util.sizeFromShape(shape))), shape));
const counts = (...shape: number[]) => tf.tidy(() => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)).mod(5), shape));
const bits = (...shape: number[]) => tf.tidy(() => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)).mod(2), shape));
/** Four steps, each with its own outputs. */
const steps = (outputs: number) =>
  withWeights(
    functional([4, 2], (x) => on(dense(outputs), x)),
    2,
  );
const heads = () => {
  const { model } = twoHeads();
  return { model, y: headData(model, N).y };
};

const CASES: ReadonlyArray<[string, () => Case]> = [
  ['classes', () => ({ likelihood: categorical(), model: chain([4, 3]), y: classes(), allowed: CLASS })],
  [
    'smoothed classes',
    () => ({ likelihood: categorical({ labelSmoothing: 0.2 }), model: chain([4, 3]), y: classes(), allowed: CLASS }),
  ],
  ['a label', () => ({ likelihood: bernoulli(), model: chain([4, 1]), y: bits(N), allowed: CLASS })],
  ['labels', () => ({ likelihood: bernoulli(), model: chain([4, 2]), y: bits(N, 2), allowed: 2 * CLASS })],
  [
    'numbers',
    () => ({ likelihood: gaussian({ noiseVariance: [0.3, 4] }), model: chain([4, 2]), y: numbers(N, 2), allowed: 2 * NUMBER }),
  ],
  [
    'numbers with their noise',
    () => ({ likelihood: heteroscedastic(), model: chain([4, 4]), y: numbers(N, 2), allowed: 2 * NUMBER }),
  ],
  ['counts', () => ({ likelihood: poisson(), model: chain([4, 2]), y: counts(N, 2), allowed: 2 * NUMBER })],
  ['numbers of steps', () => ({ likelihood: perStep(gaussian()), model: steps(2), y: numbers(N, 4, 2), allowed: 8 * NUMBER })],
  [
    // Every fifth step is left out: labels 0 … 4 in turn, and 4 is none.
    'classes of steps, some of them left out',
    () => ({
      likelihood: perStep(categorical(), { ignoreLabel: 4 }),
      model: steps(4),
      y: counts(N, 4),
      allowed: (CLASS * (N * 4 - Math.floor((N * 4) / 5))) / N,
    }),
  ],
  [
    'several outputs',
    () => ({ likelihood: perOutput({ digit: categorical(), angle: gaussian() }), ...heads(), allowed: CLASS + 2 * NUMBER }),
  ],
];

/** The comparison under a prior precision. */
async function compared(
  { likelihood, model, y }: Omit<Case, 'allowed'>,
  priorPrecision: number,
): Promise<Comparisons | undefined> {
  const [x] = inputsFor(model, N, 3) as [tf.Tensor];
  const laplace = laplaceApproximation(model, { likelihood, posterior: { priorPrecision }, warn: () => {} });
  const posterior = await laplace.computePosterior({ x, y });
  const network = right(readNetwork(model, likelihood));
  return compare({ model, network, posterior, data: { x, y }, batchSize: 5 });
}

describe.each(CASES)('%s', (_, make) => {
  it("the network's own NLL is minus the mean log-likelihood", async () => {
    const one = make();
    const { linearised: found, sampled } = (await compared(one, 1)) as Comparisons;
    const network = right(readNetwork(one.model, one.likelihood));
    const expected = tf.tidy(() => {
      const { x, y } = right(ownBatch(network, inputsFor(one.model, N, 3), one.y));
      const ops = network.likelihoodOps;
      return tf.neg(tf.mean(ops.logLikelihoods(forward(network, x).outputs, ops.targets(y)))).dataSync()[0] as number;
    });
    // Probabilities and variances in float32.
    expect(Math.abs(found.network - expected) / Math.abs(expected)).toBeLessThan(1e-5);
    expect(found).toMatchObject({ examples: N, allowed: expect.closeTo(one.allowed, 10) });
    expect(sampled).toMatchObject({ examples: N, network: found.network, allowed: found.allowed });
  });

  it('a posterior without width predicts what the network does, and a wide one does not', async () => {
    const one = make();
    for (const { network, posterior } of Object.values((await compared(one, 1e12)) as Comparisons)) {
      expect(posterior).toBeCloseTo(network, 4);
    }
    for (const { network, posterior } of Object.values((await compared(one, 1e-2)) as Comparisons)) {
      expect(Math.abs(posterior - network)).toBeGreaterThan(0.001);
    }
  });
});

describe('a likelihood of your own', () => {
  const own = customLikelihood({
    name: 'own',
    nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1),
    hessianRoot: (f) => tf.mul(tf.sqrt(2), tf.mul(tf.reshape(tf.eye(f.shape[1]), [f.shape[1], 1, -1]), tf.ones([1, ...f.shape]))),
  });

  it('is not judged', async () => {
    expect(await compared({ likelihood: own, model: chain([4, 2]), y: numbers(N, 2) }, 1)).toBeUndefined();
  });

  it('beside others keeps predictions from being made, which the warning says while fit succeeds', async () => {
    const { model, y } = heads();
    const warn = jest.fn();
    const laplace = laplaceApproximation(model, { likelihood: perOutput({ digit: categorical(), angle: own }), warn });
    const { datasetSize } = await laplace.fit({ x: inputsFor(model, N, 3), y });
    expect(datasetSize).toBe(N);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^The posterior could not be compared .* fail: .*mean/)]]);
  });
});

describe('the warning', () => {
  /** A network that is sure of every label, and right. */
  const sure = () => {
    const model = chain([4, 3]);
    const [x] = inputsFor(model, N, 3) as [tf.Tensor];
    const kernels = model.getWeights();
    model.setWeights(kernels.map((w, i) => (i < 2 ? w : tf.mul(w, 30))));
    const y = tf.tidy(() => tf.argMax(model.predict(x) as tf.Tensor, 1));
    return { model, data: { x, y } };
  };
  const lines = async (priorPrecision: number) => {
    const { model, data } = sure();
    const warn = jest.fn<void, [string]>();
    const laplace = laplaceApproximation(model, { likelihood: 'categorical', posterior: { priorPrecision }, warn });
    await laplace.fit(data);
    return { warn, laplace, data, model };
  };

  it('gives both figures and what helps, once for each posterior', async () => {
    const { warn, laplace, data, model } = await lines(1e-3);
    expect(warn).toHaveBeenCalledTimes(1);
    const nll = (rows: ReadonlyArray<Float32Array>) =>
      nllOf({ probabilities: rows }, { predicts: 'classes', labels: oneHot(data.y), counts: Array(N).fill(true) }) / N;
    const own = tf.tidy(() =>
      (tf.softmax(model.predict(data.x) as tf.Tensor).arraySync() as number[][]).map((p) => Float32Array.from(p)),
    );
    const { probabilities } = await laplace.predict(data.x);
    const [line] = warn.mock.calls[0] as [string];
    expect(line).toContain(
      `on ${N} of its training examples the mean negative log-likelihood is ${nll(probabilities).toPrecision(3)} nats`,
    );
    expect(line).toContain(`the network's own is ${nll(own).toPrecision(3)} nats.`);
    expect(nll(probabilities) - nll(own)).toBeGreaterThan(CLASS);
    for (const remedy of ['priorPrecision', 'maximiseEvidence', "layers: 'last'", 'temperature']) expect(line).toContain(remedy);
    await laplace.predict(data.x);
    expect(warn).toHaveBeenCalledTimes(1);
    await laplace.computePosterior(data);
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('is not sent for a posterior that predicts about as well as the network', async () => {
    expect((await lines(1e3)).warn).not.toHaveBeenCalled();
  });

  it('goes to the console by default, also when verbose is off', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const { model, data } = sure();
      await laplaceApproximation(model, { likelihood: 'categorical', posterior: { priorPrecision: 1e-3 } }).fit(data);
      expect(warn).toHaveBeenCalledTimes(1);
    } finally {
      warn.mockRestore();
    }
  });

  it('is about a posterior after training too, and looks only at what was trained on', async () => {
    const { model, data } = sure();
    model.compile({ optimizer: tf.train.sgd(0), loss: tf.losses.softmaxCrossEntropy });
    const y = tf.tidy(() => tf.oneHot(data.y.toInt(), 3).toFloat());
    const warn = jest.fn<void, [string]>();
    const options = { likelihood: 'categorical', pretrained: false, posterior: { priorPrecision: 1e-3 }, warn } as const;
    await laplaceApproximation(model, options).fit({ x: data.x, y }, { epochs: 1, validationSplit: 0.25 });
    expect(warn.mock.calls[0]?.[0]).toContain(`on ${0.75 * N} of its training examples`);
  });

  it('leaves nothing on the device', async () => {
    const { laplace, data } = await lines(1e-3);
    await expectNoLeak(() => laplace.fit(data));
    const other = heads();
    const two = laplaceApproximation(other.model, {
      likelihood: perOutput({ digit: categorical(), angle: gaussian() }),
      curvature: kfac(),
      warn: () => {},
    });
    const x = inputsFor(other.model, N, 3);
    await expectNoLeak(() => two.fit({ x, y: other.y }));
  });

  it('never comes for the exact posterior of a linear-Gaussian model, however wide its prior', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [N] })] });
    // As many weights as examples: every label is hit, and the variance of the mean at every example is σ² but for 1 %.
    model.setWeights([numbers(N, 1)]);
    const warn = jest.fn();
    const options = { likelihood: gaussian({ noiseVariance: 0.1 }), posterior: { priorPrecision: 0.1 }, warn } as const;
    await laplaceApproximation(model, options).fit({ x: tf.eye(N), y: numbers(N, 1) });
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('on digits', () => {
  let digits: SmallDigits;
  let model: tf.LayersModel;
  beforeAll(async () => {
    digits = smallDigits(0, 1000);
    model = await trainedOn(digits, 15);
  });
  const fitted = async (posterior: { readonly priorPrecision?: number }) => {
    const warn = jest.fn<void, [string]>();
    const laplace = laplaceApproximation(model, { likelihood: 'categorical', posterior, warn });
    await laplace.fit(digits);
    return { laplace, warn, few: digits.x.slice([0, 0], [5, -1]) };
  };
  const lines = (warn: jest.Mock<void, [string]>): string[] => warn.mock.calls.map(([line]) => line);

  it('warns of the default prior precision at once, and only once', async () => {
    const { laplace, warn, few } = await fitted({});
    await laplace.predict(few, { samples: 5 });
    expect(lines(warn)).toEqual([
      expect.stringMatching(/^Predictions with this posterior are worse .* on 100 of its training examples/),
    ]);
  });

  it('warns of one that suits the linearised predictive alone when somebody samples, and only once', async () => {
    const { laplace, warn, few } = await fitted({ priorPrecision: 10 });
    await laplace.predict(few);
    await laplace.predict(few, { predictive: functionSampling({ samples: 5 }) });
    await laplace.predict(few, { samples: 5, temperature: 0.1 });
    expect(warn).not.toHaveBeenCalled();
    await laplace.predict(few, { samples: 5 });
    expect(lines(warn)).toEqual([expect.stringMatching(/^Sampling from this posterior .* with 10 samples, on 64 of its/)]);
    for (const member of await laplace.sampleModels(1)) member.dispose();
    expect(warn).toHaveBeenCalledTimes(1);
    await laplace.computePosterior(digits);
    for (const member of await laplace.sampleModels(1)) member.dispose();
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('is silent about one that suits both', async () => {
    const { laplace, warn, few } = await fitted({ priorPrecision: 300 });
    await laplace.predict(few, { samples: 5 });
    for (const member of await laplace.sampleModels(1)) member.dispose();
    expect(warn).not.toHaveBeenCalled();
  });
});

const oneHot = (y: tf.Tensor): Float32Array[] =>
  Array.from(y.dataSync(), (k) => Float32Array.from({ length: 3 }, (_, c) => (c === k ? 1 : 0)));
