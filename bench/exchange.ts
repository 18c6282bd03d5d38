/**
 * Carries posteriors of small dense networks between this library and laplace-torch in files (`python/`), and compares predictions and
 * evidences on both sides. Installs laplace-torch under `out/peers` as `npm run bench -- peers` does.
 *
 * Both libraries also fit to the same weights and data. What laplace-torch does not have, the covariance of weights and biases, is left
 * out of that comparison.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  categorical,
  decodePosterior,
  encodePosterior,
  evidence,
  gaussian,
  kfac,
  type Matrix,
  observe,
  orThrow,
  type Posterior,
  predict,
  toPosterior,
} from 'tfjs-laplace';
import { textTable } from 'tfjs-laplace/extend';
import type { BenchResult } from './harness.js';
import { lastLine, OUT, python } from './peers/setup.js';

const SIZES = [4, 8, 6, 3];
const N = 50;
const PRIOR = 0.2;
const SIGMA = 0.5;
const script = fileURLToPath(new URL('peers/exchange.py', import.meta.url));

/** What a library predicts with a posterior, and its evidence. */
type Predicted = Readonly<Record<string, number | ReadonlyArray<ReadonlyArray<number>>>>;

type Work = 'regression' | 'classification';

export async function bench(): Promise<BenchResult> {
  const peer = await python();
  const works: ReadonlyArray<readonly [Work, boolean]> = [
    ['regression', true],
    ['regression', false],
    ['classification', true],
    ['classification', false],
  ];
  const found = [];
  for (const [work, useBias] of works) found.push(await exchanged(peer, work, useBias));
  const format = (value: number | undefined): string => (value === undefined ? '' : value.toExponential(1));
  const notes = textTable(
    ['', 'from there', 'and back', 'from here', 'curvature of both'],
    found.map(({ name, imported, back, exported, curvature }) => [name, ...[imported, back, exported, curvature].map(format)]),
  ).split('\n');
  const most = (values: ReadonlyArray<number | undefined>): number => Math.max(...values.map((value) => value ?? 0));
  const atMost = (name: string, values: ReadonlyArray<number | undefined>, limit: number) => ({
    name,
    value: most(values),
    limit,
    atMost: true,
  });
  return {
    rows: [],
    notes: ['largest relative differences', ...notes, ...found.flatMap(({ warnings }) => warnings)],
    bars: [
      atMost(
        'predictions with posteriors of laplace-torch',
        found.map(({ imported }) => imported),
        1e-5,
      ),
      atMost(
        'the same there again',
        found.map(({ back }) => back),
        1e-5,
      ),
      atMost(
        'predictions there with posteriors from here, no biases',
        found.filter(({ lossless }) => lossless).map(({ exported }) => exported),
        1e-5,
      ),
      // Here the sums are of float32 products, there all is float64.
      atMost(
        'curvature of both, largest entry',
        found.map(({ curvature }) => curvature),
        1e-6,
      ),
    ],
  };
}

/** Carries the posteriors of one problem in both directions. */
async function exchanged(peer: string, work: Work, useBias: boolean) {
  const name = `${work}, ${useBias ? 'with' : 'without'} biases`;
  const folder = join(OUT, 'exchange', `${work}-${useBias}`);
  const file = (of: string): string => join(folder, `${of}.safetensors`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const model = tf.sequential({
    layers: SIZES.slice(1).map((units, i) =>
      tf.layers.dense({
        units,
        useBias,
        biasInitializer: tf.initializers.randomNormal({ stddev: 0.3, seed: 20 + i }),
        kernelInitializer: tf.initializers.glorotNormal({ seed: 10 + i }),
        activation: i < SIZES.length - 2 ? 'tanh' : 'linear',
        ...(i === 0 ? { inputShape: [SIZES[0] as number] } : {}),
      }),
    ),
  });
  const x = tf.randomNormal([N, SIZES[0] as number], 0, 1, 'float32', 3) as tf.Tensor2D;
  const inputs = tf.randomNormal([7, SIZES[0] as number], 0, 1.5, 'float32', 4) as tf.Tensor2D;
  const classes = tf.tensor1d(Int32Array.from({ length: N }, (_, i) => (i * i) % 3));
  const y = work === 'regression' ? (tf.randomNormal([N, 3], 0, 1, 'float32', 5) as tf.Tensor2D) : classes;
  writeFileSync(
    join(folder, 'problem.json'),
    JSON.stringify({
      sizes: SIZES,
      useBias,
      likelihood: work,
      sigma: SIGMA,
      priorPrecision: PRIOR,
      layers: model.layers.map((layer) => ({ name: layer.name, bias: useBias })),
      weights: model.getWeights().map((w) => ({ shape: w.shape, values: Array.from(w.dataSync()) })),
      x: x.arraySync(),
      y: y.arraySync(),
      inputs: inputs.arraySync(),
    }),
  );
  const ours = await lastValueFrom(
    from(batches({ x, y }, 16)).pipe(
      observe(model, work === 'regression' ? gaussian({ noiseVariance: SIGMA ** 2 }) : categorical()),
      accumulateFactors(kfac()),
      toPosterior({ priorPrecision: PRIOR }),
    ),
  );
  writeFileSync(file('ours'), orThrow(encodePosterior(ours)));
  const there = (await lastLine(peer, [script, folder])) as Readonly<Record<'theirs' | 'ours', Predicted>>;
  const theirs = orThrow(decodePosterior(readFileSync(file('theirs'))));
  writeFileSync(file('back'), orThrow(encodePosterior(theirs)));
  const again = (await lastLine(peer, [script, folder])) as Readonly<Record<'back', Predicted>>;
  const here = async (posterior: Posterior): Promise<Predicted> => {
    const prediction = await lastValueFrom(from([inputs]).pipe(predict(model, posterior)));
    const { logMarginalLikelihood } = evidence(posterior);
    const rows = (own: ReadonlyArray<Float32Array>): number[][] => own.map((row) => Array.from(row));
    if (prediction._tag === 'regression') {
      const { mean, epistemicVariance } = prediction;
      return { mean: rows(mean), variance: rows(epistemicVariance), evidence: logMarginalLikelihood };
    }
    if (prediction._tag === 'several') throw new Error('the network has one output');
    return { probabilities: rows(prediction.probabilities), evidence: logMarginalLikelihood };
  };
  return {
    name,
    lossless: !useBias,
    imported: difference(await here(theirs), there.theirs),
    back: difference(again.back, there.theirs),
    exported: difference(there.ours, await here(ours)),
    curvature: Math.max(...ours.layers.map((layer, l) => relative(curvature(layer), curvature(theirs.layers[l] as Layer)))),
    warnings: ((there.ours as { readonly warnings?: ReadonlyArray<string> }).warnings ?? []).map((text) => `${name}: ${text}`),
  };
}

type Layer = Posterior['layers'][number];

/** The largest relative difference over the fields of the second. */
const difference = (found: Predicted, expected: Predicted): number =>
  Math.max(
    ...['mean', 'variance', 'probabilities', 'evidence']
      .filter((key) => key in expected)
      .map((key) => relative(flat(found[key]), flat(expected[key]))),
  );

const flat = (value: Predicted[string] | undefined): number[] => (typeof value === 'number' ? [value] : (value ?? []).flat());

function relative(found: ReadonlyArray<number>, expected: ReadonlyArray<number>): number {
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))) / scale;
}

/** A ⊗ G as numbers, without the covariance of weights and bias. */
function curvature({ bias, parts }: Layer): number[] {
  const { inputValues, inputVectors, gradientValues, gradientVectors } = parts as unknown as Readonly<Record<string, Matrix>>;
  const A = product(inputValues as Matrix, inputVectors as Matrix);
  const G = product(gradientValues as Matrix, gradientVectors as Matrix);
  const last = A.length - 1;
  return A.flatMap((row, i) =>
    row.flatMap((a, j) => (bias && (i === last) !== (j === last) ? [] : G.flatMap((own) => own.map((g) => a * g)))),
  );
}

/** U diag(values) Uᵀ as rows. */
const product = ({ data: values }: Matrix, { data: U, cols: d }: Matrix): number[][] =>
  Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) =>
      values.reduce((sum, value, k) => sum + value * (U[i * d + k] as number) * (U[j * d + k] as number), 0),
    ),
  );
