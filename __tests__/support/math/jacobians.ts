/**
 * What the library never builds: the Jacobian of every example's outputs in the weights of every dense layer, by tf.variableGrads
 * through the model as tfjs runs it, one example and output at a time.
 */
import * as tf from '@tensorflow/tfjs';

export interface LayerJacobian {
  readonly name: string;
  /** a [n], the layer's inputs, with a trailing 1 when it has a bias. */
  readonly a: ReadonlyArray<number>;
  /** Of every output c: ∂f_c/∂W [n · m], row-major, the bias as the last row. */
  readonly rows: ReadonlyArray<ReadonlyArray<number>>;
  /** Of every output c: ∂f_c/∂z [m]. */
  readonly g: ReadonlyArray<ReadonlyArray<number>>;
}

export interface ExampleJacobian {
  /** f [C]. */
  readonly outputs: ReadonlyArray<number>;
  /** In the order of `layers`. */
  readonly layers: ReadonlyArray<LayerJacobian>;
}

/** Dense layers of a model, those of inner models too, in their order. */
export function denseLayers(model: tf.LayersModel): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => {
    if ('layers' in layer) return denseLayers(layer as unknown as tf.LayersModel);
    return layer.getClassName() === 'Dense' ? [layer] : [];
  });
}

/** Jacobians of a model whose outputs are logits, for each example of a batch. */
export function jacobians(
  model: tf.LayersModel,
  inputs: ReadonlyArray<tf.Tensor>,
  layers: ReadonlyArray<tf.layers.Layer>,
): ExampleJacobian[] {
  const found: ExampleJacobian[] = [];
  tf.tidy(() => {
    for (let b = 0; b < (inputs[0]?.shape[0] as number); b++) {
      const x = inputs.map((t) => tf.slice(t, b, 1));
      found.push(ofExample(model, x, layers));
    }
  });
  return found;
}

function ofExample(model: tf.LayersModel, x: tf.Tensor[], layers: ReadonlyArray<tf.layers.Layer>): ExampleJacobian {
  const run = (): tf.Tensor => model.apply(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor;
  const taps = new Map<tf.layers.Layer, number[]>();
  for (const layer of layers) {
    layer.setCallHook((given) => taps.set(layer, Array.from(([given].flat()[0] as tf.Tensor).dataSync())));
  }
  const outputs = Array.from(run().dataSync());
  for (const layer of layers) layer.clearCallHook();
  const variables = layers.map((layer) => layer.weights.map((w) => w.read() as tf.Variable));
  const gradients = outputs.map(
    (_, c) => tf.variableGrads(() => tf.sum(tf.slice(run(), [0, c], [1, 1])), variables.flat()).grads,
  );
  return {
    outputs,
    layers: layers.map((layer, l) => {
      const own = variables[l] as tf.Variable[];
      const rows = gradients.map((grads) => own.flatMap((v) => Array.from((grads[v.name] as tf.Tensor).dataSync())));
      const a = [...(taps.get(layer) as number[]), ...(own.length > 1 ? [1] : [])];
      return { name: layer.name, a, rows, g: rows.map((row) => contract(row, a)) };
    }),
  };
}

/** g from a gᵀ: aᵀ (a gᵀ) / aᵀa. */
function contract(row: ReadonlyArray<number>, a: ReadonlyArray<number>): number[] {
  const m = row.length / a.length;
  const norm = a.reduce((sum, v) => sum + v * v, 0);
  return Array.from({ length: m }, (_, j) => a.reduce((sum, v, i) => sum + v * (row[i * m + j] as number), 0) / norm);
}
