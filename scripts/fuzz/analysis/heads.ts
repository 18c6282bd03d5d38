/** Random likelihoods of outputs, and labels that suit them. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import type { RecipeInput } from 'tfjs-laplace';
import { take, uniformSource } from '../../../__tests__/support/math/monteCarlo.js';
import { HEAD_NAMES, type HeadSpec, STEPS } from './network.js';

type LikelihoodInput = Exclude<RecipeInput['likelihood'], string>;

/** An output and its likelihood. */
export interface Head extends HeadSpec {
  readonly likelihood: Exclude<LikelihoodInput, { readonly _tag: 'perStep' | 'perOutput' | 'custom' }>;
  /** Labels of classes are class numbers, or one-hot rows. */
  readonly sparse: boolean;
}

const smoothing = fc.constantFrom(0, 0, 0.1);
const variance = fc.constantFrom(1, 0.1, 1e-6, 30);
const sparse = fc.boolean();
const plain = { link: fc.constant('linear'), sparse: fc.constant(false) };

const withWeights = (labelSmoothing: number, classWeights: number[] | undefined) => ({
  labelSmoothing,
  ...(classWeights && { classWeights }),
});
const classWeights = (C: number) =>
  fc.option(fc.array(fc.constantFrom(1, 0, 2, 0.25), { minLength: C, maxLength: C }), { nil: undefined, freq: 3 });

const classes = fc.integer({ min: 2, max: 4 }).chain((outputs) =>
  fc.record({
    outputs: fc.constant(outputs),
    link: fc.constantFrom('linear', 'softmax'),
    sparse,
    likelihood: fc.tuple(smoothing, classWeights(outputs)).map((own) => ({ _tag: 'categorical', ...withWeights(...own) })),
  }),
);
const labels = fc.integer({ min: 1, max: 3 }).chain((outputs) =>
  fc.record({
    outputs: fc.constant(outputs),
    link: fc.constantFrom('linear', 'sigmoid'),
    sparse: fc.constant(false),
    likelihood: fc
      .tuple(smoothing, outputs === 1 ? classWeights(2) : fc.constant(undefined))
      .map((own) => ({ _tag: 'bernoulli', ...withWeights(...own) })),
  }),
);
const numbers = fc.integer({ min: 1, max: 3 }).chain((outputs) =>
  fc.record({
    outputs: fc.constant(outputs),
    ...plain,
    likelihood: fc.record({
      _tag: fc.constant('gaussian'),
      noiseVariance: fc.oneof(variance, fc.array(variance, { minLength: outputs, maxLength: outputs })),
    }),
  }),
);
const others = fc.oneof(
  fc.record({ outputs: fc.constantFrom(2, 4), ...plain, likelihood: fc.constant({ _tag: 'heteroscedastic' }) }),
  fc.record({ outputs: fc.integer({ min: 1, max: 3 }), ...plain, likelihood: fc.constant({ _tag: 'poisson' }) }),
);

/** One output. */
export const oneHead = fc.oneof(classes, numbers, labels, others) as fc.Arbitrary<Head>;

/** One output, or two of them. */
export const heads: fc.Arbitrary<ReadonlyArray<Head>> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(oneHead) },
  { weight: 1, arbitrary: fc.tuple(oneHead, oneHead) },
);

/** The label of a step that is left out. No output takes it for a label, but a number may be −1 by chance alone. */
const IGNORED = -1;

/** The likelihood of a model with these outputs. `ignores` leaves out steps whose labels say so. */
export function likelihoodOf(own: ReadonlyArray<Head>, perStep: boolean, ignores: boolean): LikelihoodInput {
  const each = own.map(({ likelihood }) =>
    perStep ? { _tag: 'perStep' as const, each: likelihood, ...(ignores && { ignoreLabel: IGNORED }) } : likelihood,
  );
  const [only, ...more] = each;
  if (only !== undefined && more.length === 0) return only;
  return { _tag: 'perOutput', outputs: Object.fromEntries(each.map((one, i) => [HEAD_NAMES[i], one])) };
}

/** Random labels [N, …] of an output. */
export function labelsOf(own: Head, N: number, perStep: boolean, ignores: boolean, seed: number): tf.Tensor {
  const uniform = uniformSource(seed);
  const rows = perStep ? N * STEPS : N;
  const drawn = Array.from({ length: rows }, () => rowOf(own, uniform));
  const kept = drawn.map((row) => (perStep && ignores && uniform() < 0.3 ? row.map(() => IGNORED) : row));
  const wide = own.sparse && own.likelihood._tag === 'categorical' ? [] : [kept[0]?.length as number];
  return tf.tensor(kept.flat(), [...(perStep ? [N, STEPS] : [N]), ...wide]);
}

function rowOf({ likelihood, outputs: C, sparse: areNumbers }: Head, uniform: () => number): number[] {
  switch (likelihood._tag) {
    case 'categorical': {
      const label = Math.floor(C * uniform());
      return areNumbers ? [label] : Array.from({ length: C }, (_, c) => (c === label ? 1 : 0));
    }
    case 'bernoulli':
      return take(C, () => Math.round(uniform()));
    case 'gaussian':
      return take(C, () => 4 * uniform() - 2);
    case 'heteroscedastic':
      return take(C / 2, () => 4 * uniform() - 2);
    case 'poisson':
      return take(C, () => Math.floor(4 * uniform()));
  }
}
