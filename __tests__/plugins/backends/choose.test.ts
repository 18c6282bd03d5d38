import { either as E } from 'fp-ts';
import { BACKENDS, choose } from '../../../plugins/backends/choose.js';

const right = <A>(value: E.Either<unknown, A>): A => {
  if (E.isLeft(value)) throw value.left;
  return value.right;
};
const left = <L>(value: E.Either<L, unknown>): L => {
  if (E.isRight(value)) throw new Error('expected an error');
  return value.left;
};

it('tries the fastest first', () => {
  expect(BACKENDS).toEqual(['node', 'wasm', 'cpu']);
});

describe('the choice', () => {
  it('is the first that works, and says what did not', () => {
    const { name, reason, cost } = right(choose(undefined, [{ name: 'node', failure: 'no binding' }, { name: 'wasm' }]));
    expect(name).toBe('wasm');
    expect(reason).toContain('node does not work: no binding');
    expect(cost).toMatch(/times as long/);
  });

  it('costs nothing when it is the best', () => {
    expect(right(choose(undefined, [{ name: 'node' }]))).toEqual({
      name: 'node',
      reason: "TensorFlow's own kernels, the best that works here",
      cost: 'This is the fastest backend.',
    });
  });

  it('never falls back from a backend that was asked for by name', () => {
    const error = left(choose('node', [{ name: 'node', failure: 'no binding' }]));
    expect(error.kind).toBe('Backend');
    expect(error.message).toContain('no binding');
    expect(error.remedy).toContain('npm run setup');
  });

  it('is an error when nothing works', () => {
    const error = left(
      choose(
        undefined,
        BACKENDS.map((name) => ({ name, failure: `no ${name}` })),
      ),
    );
    expect(error.kind).toBe('Backend');
    for (const name of BACKENDS) expect(error.message).toContain(`no ${name}`);
  });
});
