import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { defaultEngine, engineNamed, javascriptEngine } from '../../src/linalg/index.js';
import { ENGINES } from './matrices.js';

const own = () => tf.getBackend();

it("is TensorFlow's engine where that is the backend, and says so", () => {
  expect(defaultEngine().name).toBe(own() === 'tensorflow' ? 'tensorflow' : 'javascript');
});

it('is plain JavaScript elsewhere, whatever else is registered', async () => {
  await import('@tensorflow/tfjs-backend-cpu');
  const before = own();
  await tf.setBackend('cpu');
  try {
    expect(defaultEngine()).toBe(javascriptEngine);
    expect(engineNamed('javascript')).toEqual(E.right(javascriptEngine));
    expect(engineNamed('tensorflow')).toMatchObject({ _tag: 'Left', left: { _tag: 'LaplaceError', kind: 'Backend' } });
  } finally {
    await tf.setBackend(before);
  }
});

it.each(ENGINES)('can be named: %s', (name) => {
  expect(engineNamed(name)).toMatchObject({ _tag: 'Right', right: { name } });
});
