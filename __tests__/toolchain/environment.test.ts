import * as tf from '@tensorflow/tfjs-core';

describe('the test environment', () => {
  it('is on the backend that was asked for', () => {
    const expected = { node: ['tensorflow'], wasm: ['wasm'], cpu: ['cpu'] }[process.env.LAPLACE_BACKEND ?? ''] ?? [
      'tensorflow',
      'wasm',
    ];
    expect(expected).toContain(tf.getBackend());
  });

  it('shares typed arrays with native addons and structured clones', () => {
    expect(tf.tidy(() => tf.matMul(tf.eye(2), tf.eye(2)).dataSync())).toBeInstanceOf(Float32Array);
    expect(structuredClone(new Float64Array(1))).toBeInstanceOf(Float64Array);
  });

  it('has one copy of tfjs-core, whichever package asks for it', () => {
    expect(require('@tensorflow/tfjs').engine()).toBe(tf.engine());
  });
});
