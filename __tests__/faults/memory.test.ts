/** Too little memory for a decomposition: a typed error that says what to do, and nothing is left behind. */
import { lastValueFrom, of } from 'rxjs';
import { type Factors, type LinalgEngine, type ToPosteriorOptions, toPosterior } from 'tfjs-laplace';
import { createAsyncEngine, createEngine } from '../../src/linalg/create.js';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { expectRejection, rejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let factors: Factors;
beforeAll(async () => {
  factors = await pass(chain(classes), classes.likelihood, dataOf(classes, 8));
});

const failing = (error: Error) => (): never => {
  throw error;
};
/** More entries than any typed array may have: the error is that of the JavaScript engine itself. */
const tooLarge = (): never => {
  throw new Float64Array(2 ** 52);
};
const own = (symmetricEigen: () => never): LinalgEngine => ({ ...javascriptEngine, name: 'own', symmetricEigen });
const inside = (symmetricEigen: () => never): LinalgEngine =>
  createEngine('javascript', { symmetricEigen, cholesky: tooLarge, triangularSolve: tooLarge, multiply: tooLarge });

const posteriorWith = (engine: ToPosteriorOptions['engine']) =>
  lastValueFrom(of(factors).pipe(toPosterior({ ...(engine && { engine }) })));

describe.each<[string, () => never, string]>([
  ['JavaScript', tooLarge, 'array length'],
  ['a buffer', failing(new RangeError('Array buffer allocation failed')), 'allocation failed'],
  ['WebAssembly', failing(new RangeError('WebAssembly.Memory(): could not allocate memory')), 'could not allocate'],
  ['TensorFlow', failing(new Error('OOM when allocating tensor with shape[40000,40000]')), 'OOM'],
])('%s', (_, fail, words) => {
  it.each([
    ['an engine of one’s own that throws', own],
    ['an engine of the library', inside],
  ] as const)('%s', async (__, make) => {
    await expectNoLeak(async () => {
      const error = await expectRejection(posteriorWith(make(fail)), 'Backend');
      expect(error.message).toContain('ran out of memory');
      expect(error.message).toContain(words);
      expect(error.remedy).toMatch(/layers.*diagonal.*coverage/);
    });
  });

  it('an engine elsewhere, whose session is closed', async () => {
    const close = jest.fn();
    const kernel = async (): Promise<never> => fail();
    const engine = createAsyncEngine('wasm', () => ({
      symmetricEigen: kernel,
      cholesky: kernel,
      triangularSolve: kernel,
      multiply: kernel,
      close,
    }));
    const error = await expectRejection(posteriorWith(engine), 'Backend');
    expect(error.message).toContain('ran out of memory');
    expect(close).toHaveBeenCalledTimes(1);
  });
});

it('leaves errors of other kinds as they are', async () => {
  const boom = new RangeError('Maximum call stack size exceeded');
  expect(await rejection(posteriorWith(own(failing(boom))))).toBe(boom);
  expect(await posteriorWith(undefined)).toMatchObject({ _tag: 'Posterior' });
});
