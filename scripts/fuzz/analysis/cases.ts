/** A random analysis as data: a network, its outputs, examples and the choices of a recipe. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import type { RecipeInput } from 'tfjs-laplace';
import { inputsFor } from '../../../__tests__/support/math/networks.js';
import { type Head, heads, labelsOf, likelihoodOf } from './heads.js';
import { type NetworkSpec, networks, TOKENS } from './network.js';
import { type Choices, choicesFor } from './recipes.js';

/** Examples. */
interface Examples {
  readonly N: number;
  readonly batch: number;
  readonly seed: number;
  /** Inputs are normal numbers times this. */
  readonly scale: number;
  /** Whether all examples are the first one. */
  readonly repeated: boolean;
  readonly weighted: boolean;
  /** Whether some steps of a sequence are left out. */
  readonly ignores: boolean;
}

/** A random analysis. */
export interface Analysis {
  readonly network: NetworkSpec;
  readonly heads: ReadonlyArray<Head>;
  readonly examples: Examples;
  readonly choices: Choices;
  /** Whether the recipe goes through JSON first. */
  readonly throughJson: boolean;
}

const examples: fc.Arbitrary<Examples> = fc.record({
  N: fc.integer({ min: 2, max: 12 }),
  batch: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(1e6),
  scale: fc.constantFrom(1, 1, 0.1, 0, 1e-4, 30, 1e3),
  repeated: fc.boolean(),
  weighted: fc.boolean(),
  ignores: fc.boolean(),
});

export const analyses: fc.Arbitrary<Analysis> = fc.tuple(networks, heads, examples).chain(([network, own, data]) =>
  fc.record({
    network: fc.constant(network),
    heads: fc.constant(own),
    examples: fc.constant(data),
    choices: choicesFor(own, network, data.ignores),
    throughJson: fc.boolean(),
  }),
);

/** The recipe of an analysis, as it may be written. */
export const recipeOf = ({ network, heads: own, examples: { ignores }, choices }: Analysis): RecipeInput => ({
  ...choices,
  likelihood: likelihoodOf(own, network.join === 'none', ignores),
});

/** The examples of an analysis. The caller disposes them. */
export interface Data {
  readonly x: tf.Tensor[];
  readonly y: tf.Tensor[];
  readonly weights: tf.Tensor1D | undefined;
}

/** Draws the examples of an analysis for its model. */
export function drawn({ network, heads: own, examples: spec }: Analysis, model: tf.LayersModel): Data {
  const { N, seed, scale, repeated, weighted, ignores } = spec;
  return tf.tidy(() => {
    const x = inputsFor(model, N, seed).map((t, i) => {
      const one = repeated ? tf.tile(tf.slice(t, 0, 1), [N, ...t.shape.slice(1).map(() => 1)]) : t;
      const isTokens = network.input === 'tokens' && i === 0;
      return isTokens ? tf.mod(tf.floor(tf.mul(tf.abs(one), 5)), TOKENS) : tf.mul(one, scale);
    });
    const y = own.map((head, i) => labelsOf(head, N, network.join === 'none', ignores, seed + i));
    const weights = weighted
      ? (tf.tensor1d(Array.from({ length: N }, (_, i) => [1, 0.5, 3][i % 3] as number)) as tf.Tensor1D)
      : undefined;
    return { x, y, weights };
  });
}
