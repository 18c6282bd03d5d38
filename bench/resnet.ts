/**
 * ResNet-20, a small residual network for 32 × 32 × 3 images with 0.27 M weights (He et al. 2016, section 4.2), and images for
 * it.
 */
import * as tf from '@tensorflow/tfjs';
import { CLASSES, type Digits, PIXELS, SIDE } from '../recipes/mnist/digits.js';

const SIZE = 32;

/** Makes the network: three stages of three blocks, with 16, 32 and 64 channels. It is compiled, and its weights are seeded. */
export function resnet(classes: number): tf.LayersModel {
  let seed = 0;
  const conv = (filters: number, kernelSize: number, strides: number): tf.layers.Layer => {
    seed += 1;
    const kernelInitializer = tf.initializers.heNormal({ seed });
    return tf.layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer });
  };
  const on = (x: tf.SymbolicTensor, ...layers: tf.layers.Layer[]): tf.SymbolicTensor =>
    layers.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
  // With momentum 0.9 the moving averages keep up with a short training.
  const norm = (): tf.layers.Layer => tf.layers.batchNormalization({ momentum: 0.9 });
  const relu = (): tf.layers.Layer => tf.layers.activation({ activation: 'relu' });
  const input = tf.input({ shape: [SIZE, SIZE, 3] });
  let x = on(input, conv(16, 3, 1), norm(), relu());
  [16, 32, 64].forEach((filters, stage) => {
    for (let block = 0; block < 3; block++) {
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const long = on(x, conv(filters, 3, strides), norm(), relu(), conv(filters, 3, 1), norm());
      const short = strides === 1 ? x : on(x, conv(filters, 1, strides));
      x = on(tf.layers.add().apply([long, short]) as tf.SymbolicTensor, relu());
    }
  });
  const top = tf.layers.dense({
    units: classes,
    activation: 'softmax',
    kernelInitializer: tf.initializers.glorotUniform({ seed: 99 }),
  });
  const model = tf.model({ inputs: input, outputs: on(x, tf.layers.globalAveragePooling2d({}), top) });
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' });
  return model;
}

/**
 * Puts each digit in the middle of a 32 × 32 image and gives it two colours, one for the digit and one for the background.
 *
 * @param size examples in a batch
 * @returns functions that each make one batch: images x [B, 32, 32, 3] in [0, 1] and one-hot labels y [B, 10]
 */
export function colourImages(digits: Digits, size: number): ReadonlyArray<() => { x: tf.Tensor; y: tf.Tensor }> {
  const margin = (SIZE - SIDE) / 2;
  return Array.from({ length: Math.ceil(digits.count / size) }, (_, i) => () => {
    const count = Math.min(size, digits.count - i * size);
    const x = new Float32Array(count * SIZE * SIZE * 3);
    const labels: number[] = [];
    for (let b = 0; b < count; b++) {
      const n = i * size + b;
      labels.push(digits.labels[n] as number);
      for (let p = 0; p < SIZE * SIZE; p++) {
        const [row, col] = [Math.floor(p / SIZE) - margin, (p % SIZE) - margin];
        const inside = row >= 0 && row < SIDE && col >= 0 && col < SIDE;
        const ink = inside ? (digits.pixels[n * PIXELS + row * SIDE + col] as number) / 255 : 0;
        for (let c = 0; c < 3; c++) {
          // The colours depend on the number of the image. They are the same in every run, and do not help to tell digits apart.
          const [front, back] = [0.6 + 0.4 * Math.sin(n * 1.7 + c * 2.1), 0.2 + 0.2 * Math.sin(n * 2.9 + c * 1.3)];
          x[(b * SIZE * SIZE + p) * 3 + c] = ink * front + (1 - ink) * back;
        }
      }
    }
    return { x: tf.tensor4d(x, [count, SIZE, SIZE, 3]), y: tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES).toFloat() };
  });
}
