/** A layer class of one's own that brings its linear map is covered like the layer of tfjs with the same map. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, categorical, kfac, observe } from 'tfjs-laplace';
import { kernelMap, type LinearLayer, type LinearMap, type ValueShape } from 'tfjs-laplace/extend';

class Project extends tf.layers.Layer implements LinearLayer {
  static className = 'ProjectOfOwn';

  constructor(private readonly part?: keyof LinearMap) {
    super({});
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    const features = (shape as number[]).at(-1) as number;
    this.addWeight('kernel', [features, 3], 'float32', tf.initializers.zeros());
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return [(shape as number[])[0] as number, 3];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor2D];
    return tf.matMul(x, (this.weights[0] as tf.LayerVariable).read() as tf.Tensor2D);
  }
  linearMap(inputShape: ValueShape): LinearMap {
    const map = kernelMap(this.weights, inputShape);
    return this.part === undefined ? map : { ...map, [this.part]: undefined };
  }
}

const networkOf = (layer: tf.layers.Layer): tf.LayersModel =>
  tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), layer] });

const factorsOf = (model: tf.LayersModel) => {
  const data = {
    x: tf.randomNormal<tf.Rank.R2>([8, 4], 0, 1, 'float32', 1),
    y: tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32'), 3),
  };
  return lastValueFrom(from(batches(data, 4)).pipe(observe(model, categorical()), accumulateFactors(kfac())));
};

it('has the factors of a dense layer with the same weights', async () => {
  const own = networkOf(new Project());
  const dense = networkOf(tf.layers.dense({ units: 3, useBias: false }));
  const kernel = tf.randomNormal([4, 3], 0, 1, 'float32', 2);
  own.setWeights([kernel]);
  dense.setWeights([kernel]);
  const [found, expected] = [await factorsOf(own), await factorsOf(dense)];
  expect(found.layers.map(({ structure, parts }) => ({ structure, parts }))).toEqual(
    expected.layers.map(({ structure, parts }) => ({ structure, parts })),
  );
});

it.each(['apply', 'pullback', 'toMatrix'] as const)('names a map without %s', async (part) => {
  await expect(factorsOf(networkOf(new Project(part)))).rejects.toMatchObject({
    field: 'linearMap',
    kind: 'InvalidModel',
    found: `no ${part}`,
  });
});
