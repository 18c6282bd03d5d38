/**
 * The sums of `inputDiagonal` on layers of every kind. Its input sum is the diagonal of the input sum of `kronecker`, and its
 * gradient sum is the gradient sum of `kronecker`. A model picks this structure only for a layer of more than 8192 inputs, so the
 * tests give it to the layers by hand.
 */
import * as tf from '@tensorflow/tfjs';
import { type Curvature, categorical, kfac } from 'tfjs-laplace';
import { readNetwork } from 'tfjs-laplace/extend';
import { closedFormOf } from '../../src/curvature/closedForm.js';
import { observeRows, type Prepared, prepare } from '../../src/curvature/estimator.js';
import type { Layout } from '../../src/curvature/layout.js';
import type { Observation, Sink } from '../../src/curvature/observation.js';
import { type Structure, sumsOf } from '../../src/curvature/structure/index.js';
import { forward } from '../../src/network/forward.js';
import { inputsAt } from '../../src/network/positions.js';
import { key } from '../../src/random/key.js';
import type { Matrix } from '../../src/types.js';
import { right } from '../support/math/laplace.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO, type ZooCase, zooInputs } from '../support/zoo.js';

withWasmKernels();

const N = 5;
/** How often each example counts. */
const WEIGHTS = [1, 0.5, 2, 3, 0.25];
const LIKELIHOOD = categorical();

/** An estimator whose Kronecker layers have another structure. */
function preparedWith(zoo: ZooCase, curvature: Curvature, structure: Structure): Prepared {
  const { layout, ...own } = right(prepare(right(readNetwork(zoo.build(), LIKELIHOOD)), curvature));
  const layers = layout.layers.map((layer) => (layer.structure === 'kronecker' ? { ...layer, structure } : layer));
  return { ...own, layout: { ...layout, layers }, closed: closedFormOf(own.network, layers, curvature) };
}

/** One weighted batch for a network. Its tensors live as long as the caller's `tf.tidy`. */
function observationOf(zoo: ZooCase, { network }: Prepared): Observation {
  const C = network.outputs;
  const targets = tf.oneHot(tf.range(0, N).mod(C).toInt(), C).toFloat() as tf.Tensor2D;
  const tape = forward(network, zooInputs(zoo, network.model, N, 8));
  return { network, tape, targets, key: key(1), weights: tf.tensor1d(WEIGHTS) };
}

/** The sums of one batch, by layer and part, as rows. */
function summed(zoo: ZooCase, prepared: Prepared): ReadonlyArray<Readonly<Record<string, number[][]>>> {
  return tf.tidy(() => {
    const all = prepared.layout.layers.map((): Record<string, tf.Tensor> => ({}));
    const add = (layer: number, part: string, sum: tf.Tensor): void => {
      const own = all[layer] as Record<string, tf.Tensor>;
      const before = own[part];
      own[part] = tf.keep(before === undefined ? tf.clone(sum) : tf.add(before, sum));
      before?.dispose();
    };
    const sink: Sink = {
      add,
      gram: (layer, part, rows) => {
        const product = tf.matMul(rows as tf.Tensor3D, rows as tf.Tensor3D, true);
        add(layer, part, tf.reshape(product, [-1, product.shape[product.rank - 1] as number]));
      },
    };
    observeRows(prepared, observationOf(zoo, prepared), sink);
    const rows = all.map((sums) =>
      Object.fromEntries(Object.entries(sums).map(([part, t]) => [part, t.arraySync() as number[][]])),
    );
    tf.dispose(all);
    return rows;
  });
}

/** The diagonals of the matrices [d, d] that lie on top of each other in [P·d, d]. */
const diagonalsOf = (matrices: ReadonlyArray<ReadonlyArray<number>>): number[] =>
  matrices.map((row, i) => row[i % row.length] as number);

/** Σ_b w_b a ⊙ a in float64, from the inputs a [P, B, T, n]. `reduce` takes the mean over T first, `expand` takes it last. */
function squaresOf(a: tf.Tensor4D, weightSharing: 'expand' | 'reduce'): number[] {
  const values = a.arraySync();
  const mean = (v: ReadonlyArray<number>): number => v.reduce((s, x) => s + x, 0) / v.length;
  return values.flatMap((examples) =>
    ((examples[0] as number[][])[0] as number[]).map((_, i) =>
      examples.reduce((sum, positions, b) => {
        const own = positions.map((row) => row[i] as number);
        const square = weightSharing === 'reduce' ? mean(own) ** 2 : mean(own.map((v) => v * v));
        return sum + (WEIGHTS[b] as number) * square;
      }, 0),
    ),
  );
}

const kroneckerLayers = ({ layers }: Layout): number[] =>
  layers.flatMap(({ structure }, i) => (structure === 'kronecker' ? [i] : []));

/** The sums of both structures for each layer that is a Kronecker block, and the inputs of its block. */
function bothOf(zoo: ZooCase, curvature: Curvature) {
  const [plain, own] = [preparedWith(zoo, curvature, 'kronecker'), preparedWith(zoo, curvature, 'inputDiagonal')];
  const [expected, found] = [summed(zoo, plain), summed(zoo, own)];
  return kroneckerLayers(plain.layout).map((i) => ({
    layout: own.layout.layers[i] as Layout['layers'][number],
    expected: expected[i] as Readonly<Record<string, number[][]>>,
    found: found[i] as Readonly<Record<string, number[][]>>,
    squares: (sharing: 'expand' | 'reduce') =>
      tf.tidy(() => {
        const { tape, network } = observationOf(zoo, own);
        return squaresOf(inputsAt(network.blocks[i] as never, tape), sharing);
      }),
  }));
}

describe.each(ZOO)('$name', (zoo) => {
  it.each(['expand', 'reduce'] as const)('%s: sums the diagonal of Σ a aᵀ, and Σ g gᵀ', (weightSharing) => {
    const layers = bothOf(zoo, kfac({ weightSharing }));
    expect(layers.length).toBeGreaterThan(0);
    for (const { layout, expected, found, squares } of layers) {
      expect(Object.keys(found).sort()).toEqual(['gradient', 'input']);
      expect(found.gradient).toEqual(expected.gradient);
      const input = (found.input as number[][]).flat();
      expect(relativeError(input, diagonalsOf(expected.input as number[][]))).toBeLessThan(FLOAT32);
      const { rows, cols, divisor = 1 } = sumsOf(layout).input as { rows: number; cols: number; divisor?: number };
      expect([input.length, 1]).toEqual([rows, cols]);
      expect(
        relativeError(
          input.map((v) => v / divisor),
          squares(weightSharing),
        ),
      ).toBeLessThan(FLOAT32);
    }
  });
});

it('sums the same in closed form when only the last layer is covered', () => {
  const zoo = ZOO.find(({ name }) => name === 'a shared layer in a residual graph') as ZooCase;
  const curvature = kfac({ layers: 'last' });
  const [plain, own] = [preparedWith(zoo, curvature, 'kronecker'), preparedWith(zoo, curvature, 'inputDiagonal')];
  const [[expected], [found]] = [summed(zoo, plain), summed(zoo, own)];
  const shapes = Object.entries(found ?? {}).map(([part, rows]) => [part, { rows: rows.length, cols: rows[0]?.length }]);
  expect(own.closed?.sums).toMatchObject(Object.fromEntries(shapes));
  const completed = ({ closed }: Prepared, sums: Readonly<Record<string, number[][]>> | undefined) => {
    const matrices = Object.entries(sums ?? {}).map(([part, rows]): [string, Matrix] => [
      part,
      { rows: rows.length, cols: rows[0]?.length as number, data: Float64Array.from(rows.flat()) },
    ]);
    return closed?.completed(Object.fromEntries(matrices)) as Readonly<Record<'input' | 'gradient', Matrix>>;
  };
  const [whole, diagonal] = [completed(plain, expected), completed(own, found)];
  expect(diagonal.gradient).toEqual(whole.gradient);
  expect([diagonal.input.rows, diagonal.input.cols]).toEqual([whole.input.rows, 1]);
  expect(relativeError(diagonal.input, diagonalsOf(inRows(whole.input.data, whole.input.cols)))).toBeLessThan(FLOAT32);
});
