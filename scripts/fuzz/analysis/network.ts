/** Random small networks as data, so that a finding can be shrunk and read, and the models that they describe. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { dense, on, withWeights } from '../../../__tests__/support/math/networks.js';

type Symbolic = tf.SymbolicTensor;
const L = tf.layers;

const ACTIVATIONS = ['linear', 'relu', 'tanh', 'sigmoid', 'softplus', 'elu', 'softmax', 'hardSigmoid', 'selu'] as const;

/** What one step does with an image, a sequence or a vector. */
interface Step<K extends string = string> {
  readonly layer: K;
  readonly units: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly useBias: boolean;
}

/** Makes the layers of a step and applies them. */
type Apply = (x: Symbolic, step: Step) => Symbolic;

const width = (x: Symbolic): number => x.shape.at(-1) as number;
/** The options that a layer with a kernel has. */
const own = ({ activation, useBias }: Step) => ({ activation, useBias });
const conv = (filters: number, step: Step, more: object = {}) =>
  L.conv2d({ filters, kernelSize: 2, padding: 'same', ...own(step), ...more });

/** Steps that suit every rank. */
const ANY = {
  batchNormalization: (x) => on(L.batchNormalization({}), x),
  layerNormalization: (x) => on(L.layerNormalization({ axis: -1 }), x),
  dropout: (x) => on(L.dropout({ rate: 0.5 }), x),
  activation: (x, { activation }) => on(L.activation({ activation }), x),
} as const satisfies Record<string, Apply>;

const twice = (layer: tf.layers.Layer, x: Symbolic): Symbolic => on(layer, on(layer, x));

const VECTOR = {
  dense: (x, step) => on(dense(step.units, own(step)), x),
  twice: (x, step) => twice(dense(width(x), own(step)), x),
  residual: (x, step) => on(L.add(), x, on(dense(width(x), own(step)), x)),
  concatenate: (x, step) => on(L.concatenate(), x, on(dense(step.units, own(step)), x)),
  multiply: (x, step) => on(L.multiply(), x, on(dense(width(x), own(step)), x)),
  ...ANY,
} as const satisfies Record<string, Apply>;

/** Recurrent layers have no choice of activation here: their own are the usual ones. */
const recurrent = (kind: 'simpleRNN' | 'gru' | 'lstm', { units, useBias }: Step, returnSequences: boolean) =>
  L[kind]({ units, useBias, returnSequences }) as tf.layers.Layer;

const SEQUENCE = {
  ...VECTOR,
  conv1d: (x, step) => on(L.conv1d({ filters: step.units, kernelSize: 2, padding: 'same', ...own(step) }), x),
  timeDistributed: (x, step) => on(L.timeDistributed({ layer: dense(step.units, own(step)) }), x),
  simpleRNN: (x, step) => on(recurrent('simpleRNN', step, true), x),
  gru: (x, step) => on(recurrent('gru', step, true), x),
  lstm: (x, step) => on(recurrent('lstm', step, true), x),
  bidirectional: (x, step) =>
    on(L.bidirectional({ layer: recurrent('gru', step, true) as never, mergeMode: step.useBias ? 'concat' : 'sum' }), x),
} as const satisfies Record<string, Apply>;

const IMAGE = {
  conv2d: (x, step) => on(conv(step.units, step), x),
  strided: (x, step) => on(conv(step.units, step, { strides: 2 }), x),
  dilated: (x, step) => on(conv(step.units, step, { dilationRate: 2 }), x),
  depthwise: (x, step) => on(L.depthwiseConv2d({ kernelSize: 2, padding: 'same', depthMultiplier: step.units, ...own(step) }), x),
  separable: (x, step) => on(L.separableConv2d({ filters: step.units, kernelSize: 2, padding: 'same', ...own(step) }), x),
  transposed: (x, step) => on(L.conv2dTranspose({ filters: step.units, kernelSize: 2, padding: 'same', ...own(step) }), x),
  dense: (x, step) => on(dense(step.units, own(step)), x),
  twice: (x, step) => twice(conv(width(x), step), x),
  residual: (x, step) => on(L.add(), x, on(conv(width(x), step), x)),
  maxPooling: (x) => on(L.maxPooling2d({ poolSize: 2, padding: 'same' }), x),
  ...ANY,
} as const satisfies Record<string, Apply>;

const JOINS = {
  flatten: (x) => on(L.flatten(), x),
  mean: (x) => on(x.rank === 4 ? L.globalAveragePooling2d({}) : L.globalAveragePooling1d({}), x),
  maximum: (x) => on(x.rank === 4 ? L.globalMaxPooling2d({}) : L.globalMaxPooling1d({}), x),
} as const satisfies Record<string, (x: Symbolic) => Symbolic>;

/** The shape of one example of each kind of input. Tokens are numbers below 5. */
const INPUTS = { vector: [3], sequence: [3, 2], tokens: [3], image: [3, 3, 2] } as const;
export const TOKENS = 5;
export const STEPS = 3;

/** One output of a network. */
export interface HeadSpec {
  readonly outputs: number;
  /** The activation at its end. */
  readonly link: 'linear' | 'softmax' | 'sigmoid';
}

/** A network. */
export interface NetworkSpec {
  readonly input: keyof typeof INPUTS;
  /** Steps that see the input as it is, if it is no vector. */
  readonly first: ReadonlyArray<Step>;
  /** How an image or a sequence becomes a vector. With `'none'` the outputs are those of every step. */
  readonly join: keyof typeof JOINS | 'none';
  readonly second: 'none' | 'vector';
  readonly after: ReadonlyArray<Step>;
  readonly weights: { readonly seed: number; readonly scale: number };
}

const stepOf = <K extends string>(table: Readonly<Record<K, unknown>>): fc.Arbitrary<Step<K>> =>
  fc.record({
    layer: fc.constantFrom(...(Object.keys(table) as K[])),
    units: fc.integer({ min: 1, max: 3 }),
    activation: fc.constantFrom(...ACTIVATIONS),
    useBias: fc.boolean(),
  });

const short = <A>(one: fc.Arbitrary<A>, maxLength: number): fc.Arbitrary<A[]> => fc.array(one, { maxLength, size: 'max' });
const second = fc.constantFrom('none', 'none', 'none', 'vector') as fc.Arbitrary<'none'>;
const joins = fc.constantFrom('flatten', 'mean', 'maximum') as fc.Arbitrary<'flatten'>;
const nothing = fc.constant([]);

/** Networks without their outputs, whose weights are usual ones times one of these numbers. */
const joinedWith = (...scales: [number, ...number[]]) => {
  const weights = fc.record({ seed: fc.nat(1e6), scale: fc.constantFrom(...scales) });
  const after = short(stepOf(VECTOR), 2);
  return [
    fc.record({
      input: fc.constant('vector'),
      first: nothing,
      join: fc.constant('flatten'),
      second,
      after: short(stepOf(VECTOR), 3),
      weights,
    }),
    fc.record({
      input: fc.constantFrom('sequence', 'tokens'),
      first: short(stepOf(SEQUENCE), 2),
      join: joins,
      second,
      after,
      weights,
    }),
    fc.record({ input: fc.constant('image'), first: short(stepOf(IMAGE), 2), join: joins, second, after, weights }),
  ] as ReadonlyArray<fc.Arbitrary<NetworkSpec>>;
};

const SCALES = [1, 0.3, 3, 0.01, 10, 1e-4, 0] as const;

/** Networks without their outputs, which are those of every step if `join` is `'none'`. */
export const networks: fc.Arbitrary<NetworkSpec> = fc.oneof(
  ...joinedWith(...SCALES),
  fc.record({
    input: fc.constantFrom('sequence', 'tokens'),
    first: short(stepOf(SEQUENCE), 3),
    join: fc.constant('none'),
    second: fc.constant('none'),
    after: nothing,
    weights: fc.record({ seed: fc.nat(1e6), scale: fc.constantFrom(...SCALES) }),
  }) as fc.Arbitrary<NetworkSpec>,
);

/** Networks whose weights are of the usual size, and whose outputs are vectors. */
export const usual: fc.Arbitrary<NetworkSpec> = fc.oneof(...joinedWith(1, 0.3));

const applied = (table: Readonly<Record<string, Apply>>, x: Symbolic, steps: ReadonlyArray<Step>): Symbolic =>
  steps.reduce((value, step) => (table[step.layer] as Apply)(value, step), x);

/** Builds a network with outputs `left` and `right`, or one of them. The caller disposes it. */
export function build(spec: NetworkSpec, heads: ReadonlyArray<HeadSpec>): tf.LayersModel {
  const input = tf.input({ shape: [...INPUTS[spec.input]] });
  const other = spec.second === 'vector' ? [tf.input({ shape: [...INPUTS.vector] })] : [];
  const isVector = spec.input === 'vector';
  const start = spec.input === 'tokens' ? on(L.embedding({ inputDim: TOKENS, outputDim: 2 }), input) : input;
  const seen = isVector ? start : applied(spec.input === 'image' ? IMAGE : SEQUENCE, start, spec.first);
  const joined = isVector || spec.join === 'none' ? seen : JOINS[spec.join](seen);
  const together = other[0] === undefined ? joined : on(L.concatenate(), joined, on(dense(2), other[0]));
  const last = applied(VECTOR, together, spec.after);
  const outputs = heads.map(({ outputs: units, link }, i) =>
    on(dense(units, { activation: link, name: HEAD_NAMES[i] as string }), last),
  );
  const model = tf.model({ inputs: [input, ...other], outputs });
  return scaled(withWeights(model, spec.weights.seed), spec.weights.scale);
}

/** The names of the outputs, in their order. */
export const HEAD_NAMES = ['left', 'right'] as const;

/** Multiplies all weights but moving variances. */
function scaled(model: tf.LayersModel, scale: number): tf.LayersModel {
  tf.tidy(() =>
    model.setWeights(model.weights.map((w) => (w.originalName.includes('variance') ? w.read() : tf.mul(w.read(), scale)))),
  );
  return model;
}
