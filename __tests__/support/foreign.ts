/** A layer of somebody's own, which no curvature will ever know: y = x · exp(w), w [features]. Not linear in its weights. */
import * as tf from '@tensorflow/tfjs';

export class Foreign extends tf.layers.Layer {
  static readonly className = 'Foreign';
  override build(shape: tf.Shape): void {
    this.addWeight('w', [shape[shape.length - 1] as number], 'float32', tf.initializers.zeros());
    super.build(shape);
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul([inputs].flat()[0] as tf.Tensor, tf.exp((this.weights[0] as tf.LayerVariable).read())));
  }
}
tf.serialization.registerClass(Foreign);

/** One such layer. */
export const foreign = (name: string, options: { readonly trainable?: boolean } = {}): Foreign =>
  new Foreign({ name, ...options });
