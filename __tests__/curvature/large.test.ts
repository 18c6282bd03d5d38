/** A layer whose input factor would be too large, covered by a diagonal beside a Kronecker block: factors, posterior, predictive. */
import { categorical, kfac, outputDistribution } from 'tfjs-laplace';
import { LARGEST_FACTOR } from '../../src/limits.js';
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

/** One output for the wide layer, so that its diagonal has 8193 numbers and no more. */
const build = () =>
  withWeights(
    functional([LARGEST_FACTOR], (x) => on(dense(3, { name: 'top' }), on(dense(1, { name: 'wide', activation: 'tanh' }), x))),
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

it('is Jᵀ Λ J without what is beside its diagonal, and so are its covariances', async () => {
  const model = build();
  const data = dataFor(model, likelihood, N);
  const factors = await factorsOf(model, likelihood, data, kfac({ unsupported: 'diagonal' }));
  const examples = jacobians(model, data.x, denseLayers(model));
  const own = factors.layers[0] as (typeof factors.layers)[number];
  if (own._tag !== 'diagonal') throw new Error(`expected a diagonal, found ${own._tag}`);
  const squares = diagonalOf(examples, 0);
  expect(
    relativeError(
      own.squares.data.map((v) => v / N),
      squares,
    ),
  ).toBeLessThan(FLOAT32);
  const [top] = exactFactors(
    examples.map(({ outputs, layers }) => ({ outputs, layers: layers.slice(1) })),
    likelihood,
  );
  expect(
    relativeError(
      kronecker(factors.layers[1]).input.data.map((v) => v / N),
      top?.A as Rows,
    ),
  ).toBeLessThan(FLOAT32);

  const posterior = await posteriorFrom(factors, { priorPrecision: TAU });
  const [x] = inputsFor(model, 3, 9);
  const { covariance } = await outputDistribution(model, posterior, x as never);
  const C = inverse(layerPrecision(top?.A as Rows, top?.G as Rows, N, TAU, 'exact'));
  const expected = jacobians(model, [x as never], denseLayers(model)).map((example) => {
    const J = rowsOf(example, 0);
    const wide = product(
      J.map((row) => row.map((v, i) => v / (N * (squares[i] as number) + TAU))),
      transposed(J),
    );
    return plus(wide, product(rowsOf(example, 1), C, transposed(rowsOf(example, 1))));
  });
  expect(relativeError(covariance as never, expected)).toBeLessThan(FLOAT32);
});

it('leaves no tensor behind', async () => {
  const model = build();
  const data = dataFor(model, likelihood, N);
  const [x] = inputsFor(model, 3, 9);
  await expectNoLeak(async () => {
    const factors = await factorsOf(model, likelihood, data, kfac({ unsupported: 'diagonal' }));
    await outputDistribution(model, await posteriorFrom(factors, {}), x as never);
  });
});
