/** What only TensorFlow's engine has: device memory, and a size where it is needed. */
import * as tf from '@tensorflow/tfjs-core';
import { option as O } from 'fp-ts';
import { tensorflowEngine } from '../../src/linalg/index.js';
import { AVAILABLE, decompose, gaussianMatrix, misfit } from './matrices.js';

interface Binding {
  getNumOfTensors(): number;
  executeOp(name: string, ...rest: unknown[]): unknown;
  deleteTensor(id: number): void;
}
const backend = () => tf.backend() as unknown as { binding: Binding };
const held = () => ({ binding: backend().binding.getNumOfTensors(), tfjs: tf.memory().numTensors });

const native = AVAILABLE.includes('tensorflow') ? describe : describe.skip;

native('TensorFlow', () => {
  it('decomposes a large matrix to machine precision', () => {
    // The bound of engine.test.ts.
    const a = gaussianMatrix(600, 1);
    const { residual, orthogonality } = misfit(a, decompose('tensorflow', a));
    expect(residual).toBeLessThan(10);
    expect(orthogonality).toBeLessThan(10);
  });

  it('leaves no tensor behind', () => {
    const a = gaussianMatrix(10, 1);
    const before = held();
    for (let i = 0; i < 3; i++) decompose('tensorflow', a);
    expect(held()).toEqual(before);
  });

  it.each(['Bitcast', 'SelfAdjointEigV2'])('leaves none behind when %s fails, and gives an error value', (failing) => {
    const real = backend().binding;
    const before = held();
    const broken = Object.create(real, {
      executeOp: {
        value: (name: string, ...rest: unknown[]) => {
          // The second Bitcast reads a result: what was computed until then is held.
          if (name === failing && calls++ === (failing === 'Bitcast' ? 1 : 0)) throw new Error('out of memory');
          return real.executeOp(name, ...rest);
        },
      },
    });
    let calls = 0;
    backend().binding = broken;
    try {
      const result = O.map((engine: { symmetricEigen: (a: ReturnType<typeof gaussianMatrix>) => unknown }) =>
        engine.symmetricEigen(gaussianMatrix(5, 2)),
      )(tensorflowEngine());
      expect(result).toMatchObject({
        value: { _tag: 'Left', left: { kind: 'Backend', message: expect.stringContaining('out of memory') } },
      });
    } finally {
      backend().binding = real;
    }
    expect(held()).toEqual(before);
  });
});

it('is not there when the backend has no binding, or another one, or when there is no backend', () => {
  const spy = jest.spyOn(tf.engine(), 'backend', 'get');
  try {
    for (const other of [{}, { binding: null }, { binding: { createTensor: () => 0 } }]) {
      spy.mockReturnValue(other as never);
      expect(tensorflowEngine()).toEqual(O.none);
    }
    spy.mockImplementation(() => {
      throw new Error('No backend found in registry.');
    });
    expect(tensorflowEngine()).toEqual(O.none);
  } finally {
    spy.mockRestore();
  }
});
