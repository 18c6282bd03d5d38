/** A small fitted classifier for each structure of curvature. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  full,
  kfac,
  lowRank,
  type PosteriorLayer,
  type Structure,
} from 'tfjs-laplace';
import { LARGEST_FACTOR } from '../../src/limits.js';
import { type Fitted, factorsOf, posteriorFrom } from './math/laplace.js';
import { chain, dense, functional, inputsFor, on, withWeights } from './math/networks.js';
import { memoised } from './memoised.js';
import { ZOO, type ZooCase, zooInputs } from './zoo.js';

/** A model and a curvature that gives one of its layers the structure. */
interface Choice {
  readonly model: () => tf.LayersModel;
  readonly curvature: Curvature;
  /** Inputs are token numbers below this. */
  readonly tokens?: number;
}

const EMBEDDING = ZOO.find(({ name }) => name === 'an embedding') as ZooCase;

/** The layer has one input more than a whole input factor may have, counting the bias. */
const manyInputs = (): tf.LayersModel =>
  withWeights(
    functional([LARGEST_FACTOR], (x) => on(dense(3), on(dense(2, { activation: 'tanh' }), x))),
    3,
  );

/** One choice for each structure. The compiler names a new structure that has no line here. */
const CHOICES: Readonly<Record<Structure, Choice>> = {
  kronecker: { model: () => chain([4, 3]), curvature: kfac() },
  embedding: { model: EMBEDDING.build, curvature: kfac(), tokens: EMBEDDING.tokens as number },
  inputDiagonal: { model: manyInputs, curvature: kfac({ unsupported: 'diagonal' }) },
  diagonal: { model: () => chain([4, 3]), curvature: diagonal() },
  eigen: { model: () => chain([4, 3]), curvature: ekfac() },
  full: { model: () => chain([4, 3]), curvature: full() },
  lowRank: { model: () => chain([4, 12]), curvature: lowRank({ rank: 2 }) },
};

/** The names of all structures. */
export const STRUCTURES = Object.keys(CHOICES) as ReadonlyArray<Structure>;

/** A model with a posterior that has a layer of one structure. */
export interface FittedStructure extends Fitted {
  /** The first layer with the structure. */
  readonly layer: PosteriorLayer;
}

/** The fitted classifier of a structure. The tests of a file share it. */
export const fittedWith = memoised(async (structure: Structure): Promise<FittedStructure> => {
  const { model: build, curvature, tokens } = CHOICES[structure];
  const model = build();
  const inputs = (examples: number, seed: number): tf.Tensor[] =>
    tokens === undefined ? inputsFor(model, examples, seed) : zooInputs(EMBEDDING, model, examples, seed);
  const N = 9;
  const classes = model.outputs[0]?.shape[1] as number;
  const y = tf.tidy(() => tf.oneHot(tf.range(0, N).mod(classes).toInt(), classes).toFloat());
  const posterior = await posteriorFrom(await factorsOf(model, categorical(), { x: inputs(N, 8), y }, curvature), {
    priorPrecision: 3,
  });
  const layer = posterior.layers.find((own) => own.structure === structure);
  if (layer === undefined) throw new Error(`no layer of the model has the structure ${structure}`);
  return { model, posterior, layer, x: inputs(4, 9)[0] as tf.Tensor };
});
