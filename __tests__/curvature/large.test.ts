/**
 * Layers with a factor that would be too large, covered by the coarser structure that takes its place: factors, posterior and predictive
 * against matrices that are written out.
 */
import { categorical, ekfac, kfac, outputDistribution, type Posterior } from 'tfjs-laplace';
import { LARGEST_FACTOR } from '../../src/limits.js';
import { matricesOf } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { exactFactors } from '../support/math/curvature64.js';
import { inverse, layerPrecision, plus, product, type Rows, transposed } from '../support/math/dense64.js';
import { denseLayers, type ExampleJacobian, jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, posteriorFrom } from '../support/math/laplace.js';
import { hessian } from '../support/math/likelihoods64.js';
import { dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const N = 6;
const TAU = 0.5;
const likelihood = categorical();

/** One input too many, with the bias, for a factor. */
const manyInputs = () =>
  withWeights(
    functional([LARGEST_FACTOR], (x) => on(dense(3, { name: 'top' }), on(dense(2, { name: 'wide', activation: 'tanh' }), x))),
    3,
  );

/** One output too many. */
const manyOutputs = () =>
  withWeights(
    functional([1], (x) =>
      on(dense(2, { name: 'top', useBias: false }), on(dense(LARGEST_FACTOR + 1, { name: 'wide', useBias: false }), x)),
    ),
    3,
  );

const rowsOf = (example: ExampleJacobian, l: number): Rows => (example.layers[l] as ExampleJacobian['layers'][number]).rows;

/** Mean over examples of the diagonal of Jᵀ Λ J. */
function diagonalOf(examples: ReadonlyArray<ExampleJacobian>, l: number): number[] {
  const squares = examples.map((example) => {
    const J = rowsOf(example, l);
    const scaled = product(hessian(likelihood, example.outputs), J);
    return (J[0] as number[]).map((_, i) => J.reduce((sum, row, c) => sum + (row[i] as number) * (scaled[c]?.[i] as number), 0));
  });
  return (squares[0] as number[]).map((_, i) => squares.reduce((sum, s) => sum + (s[i] as number), 0) / examples.length);
}

/** Covariances of the outputs at three other inputs, as the library gives them and from the covariance of each layer's weights. */
async function expectCovariances(
  model: ReturnType<typeof manyInputs>,
  posterior: Posterior,
  ofLayers: ReadonlyArray<(J: Rows) => number[][]>,
): Promise<void> {
  const [x] = inputsFor(model, 3, 9);
  const { covariance } = await outputDistribution(model, posterior, x as never);
  const expected = jacobians(model, [x as never], denseLayers(model)).map((example) =>
    ofLayers.map((of, l) => of(rowsOf(example, l))).reduce(plus),
  );
  expect(relativeError(covariance as never, expected)).toBeLessThan(FLOAT32);
}

/** J C Jᵀ for a dense covariance. */
const through =
  (C: Rows) =>
  (J: Rows): number[][] =>
    product(J, C, transposed(J));

describe('many inputs', () => {
  it('keep the diagonal of A, and all of G', async () => {
    const model = manyInputs();
    const data = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, data, kfac({ unsupported: 'diagonal' }));
    expect(factors.layout.layers.map(({ structure }) => structure)).toEqual(['inputDiagonal', 'kronecker']);
    const examples = jacobians(model, data.x, denseLayers(model));
    const alpha = Array.from(
      { length: LARGEST_FACTOR + 1 },
      (_, i) => examples.reduce((sum, { layers }) => sum + (layers[0]?.a[i] as number) ** 2, 0) / N,
    );
    const [low, top] = exactFactors(
      examples.map(({ outputs, layers }) => ({ outputs, layers: layers.map((layer) => ({ ...layer, a: layer.a.slice(0, 4) })) })),
      likelihood,
    );
    const own = kronecker(factors.layers[0]);
    expect(
      relativeError(
        own.input.data.map((v) => v / N),
        alpha,
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        own.gradient.data.map((v) => v / N),
        low?.G as Rows,
      ),
    ).toBeLessThan(FLOAT32);

    const posterior = await posteriorFrom(factors, { priorPrecision: TAU });
    // Weights of different inputs are independent; those of one input have the precision N α_i G + τ I.
    const G = low?.G as Rows;
    const m = G.length;
    const blocks = alpha.map((a) => inverse(G.map((row, j) => row.map((v, k) => N * a * v + (j === k ? TAU : 0)))));
    const wide = (J: Rows): number[][] =>
      J.map((left) =>
        J.map((right) =>
          blocks.reduce((sum, block, i) => {
            const [l, r] = [left.slice(i * m, (i + 1) * m), right.slice(i * m, (i + 1) * m)];
            return sum + l.reduce((s, v, j) => s + r.reduce((t, w, k) => t + v * w * (block[j]?.[k] as number), 0), 0);
          }, 0),
        ),
      );
    await expectCovariances(model, posterior, [
      wide,
      through(inverse(layerPrecision(top?.A as Rows, top?.G as Rows, N, TAU, 'exact'))),
    ]);
  });

  it('are the diagonal of the curvature along the eigenvectors of G under ekfac', async () => {
    const model = manyInputs();
    const data = dataFor(model, likelihood, N);
    const posterior = await posteriorFrom(
      await factorsOf(model, likelihood, data, ekfac({ unsupported: 'diagonal', layers: ['wide'] })),
      {
        priorPrecision: TAU,
      },
    );
    const [layer] = posterior.layers;
    const { curvature, inputVectors, gradientVectors } = matricesOf(layer);
    expect([layer?.structure, inputVectors, gradientVectors?.rows]).toEqual(['eigen', undefined, 2]);
    const examples = jacobians(model, data.x, denseLayers(model));
    // The trace does not depend on the directions.
    const trace = diagonalOf(examples, 0).reduce((a, b) => a + b, 0);
    const found = curvature?.data.reduce((a, b) => a + b, 0) ?? 0;
    expect(relativeError([found], [trace])).toBeLessThan(FLOAT32);
  });

  it('leave no tensor behind', async () => {
    const model = manyInputs();
    const data = dataFor(model, likelihood, N);
    const [x] = inputsFor(model, 3, 9);
    await expectNoLeak(async () => {
      const factors = await factorsOf(model, likelihood, data, kfac({ unsupported: 'diagonal' }));
      await outputDistribution(model, await posteriorFrom(factors, {}), x as never);
    });
  });
});

it('many outputs are Jᵀ Λ J without what is beside its diagonal, and so are their covariances', async () => {
  const model = manyOutputs();
  const data = dataFor(model, likelihood, N);
  const factors = await factorsOf(model, likelihood, data, kfac({ unsupported: 'diagonal', layers: ['wide'] }));
  expect(factors.layout.layers.map(({ structure }) => structure)).toEqual(['diagonal']);
  const examples = jacobians(model, data.x, denseLayers(model).slice(0, 1));
  const squares = diagonalOf(examples, 0);
  expect(relativeError(matricesOf(factors.layers[0]).squares?.data.map((v) => v / N) as Float64Array, squares)).toBeLessThan(
    FLOAT32,
  );
  const posterior = await posteriorFrom(factors, { priorPrecision: TAU });
  const wide = (J: Rows): number[][] =>
    product(
      J.map((row) => row.map((v, i) => v / (N * (squares[i] as number) + TAU))),
      transposed(J),
    );
  await expectCovariances(model, posterior, [wide]);
});
