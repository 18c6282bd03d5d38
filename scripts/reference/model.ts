/**
 * Builds the network of a reference document as a tf.LayersModel: a sequential model for a chain, a functional model for a graph.
 */
import * as tf from '@tensorflow/tfjs';
import { inputNames, type LayerSpec, type Nested, type ReferenceDocument, type Rows } from './document.js';
import { blocksOf, type Layer, makeLayer, setWeights } from './layers.js';

/**
 * The names that the library gives to the document's blocks: the name of the layer, with a suffix if the layer has several
 * blocks.
 */
export const blockNames = (doc: ReferenceDocument): ReadonlyArray<string> =>
  doc.layers.flatMap((spec, i) => blocksOf(spec).map((part) => `${nameOf(spec, i)}${part}`));

/** The inputs x as tensors, in the order of the model's inputs. */
export const inputsOf = (doc: ReferenceDocument, x: Nested): tf.Tensor[] =>
  inputNames(doc).length > 1 ? (x as ReadonlyArray<Nested>).map(tensor) : [tensor(x)];

/** The labels as tensors, in the order of the model's outputs. */
export const labelsOf = ({ y, outputs = [] }: ReferenceDocument): tf.Tensor[] =>
  outputs.length > 1 ? (y as ReadonlyArray<Nested>).map(tensor) : [tensor(y)];

/** The weights of the examples [N], or undefined if the document has none. */
export const weightsOf = ({ exampleWeights }: ReferenceDocument): tf.Tensor | undefined =>
  exampleWeights && tensor(exampleWeights);

/**
 * Builds the document's network with its weights. The caller disposes it.
 *
 * In some documents `outputsTest` is sigmoid(z): the sigmoid is part of the outputs f, and the likelihood applies another one to
 * f. The library takes the last sigmoid of a model as the link of the likelihood. So for such a document the model gets a second
 * sigmoid at its end, and its f is the f of the document.
 */
export function buildModel(doc: ReferenceDocument): tf.LayersModel {
  const model = inputNames(doc).length > 0 ? graph(doc) : chain(doc);
  if (hasLinkInside(doc, model)) (model as tf.Sequential).add(tf.layers.activation({ activation: 'sigmoid' }));
  return model;
}

/** Whether the outputs f of a document are the values after its last sigmoid. */
function hasLinkInside(doc: ReferenceDocument, model: tf.LayersModel): boolean {
  if (doc.layers[doc.layers.length - 1]?.activation !== 'sigmoid') return false;
  const outputs = tf.tidy(() => (model.predict(inputsOf(doc, doc.xTest)) as tf.Tensor).dataSync());
  return doc.outputsTest.flat().every((f, i) => Math.abs(f - (outputs[i] as number)) < 1e-5);
}

const tensor = (values: Nested): tf.Tensor => tf.tensor(values as unknown as tf.TensorLike);

const nameOf = (spec: LayerSpec, i: number): string => spec.name ?? `layer${i}`;

function chain(doc: ReferenceDocument): tf.LayersModel {
  const shape = tf.tidy(() => tensor(doc.x).shape.slice(1));
  const layers = doc.layers.map((spec, i) => makeLayer(spec, nameOf(spec, i), i === 0 ? shape : undefined));
  const model = tf.sequential({ layers });
  fill(doc, layers);
  return model;
}

function graph(doc: ReferenceDocument): tf.LayersModel {
  const values = new Map<string, tf.SymbolicTensor>();
  const layers = new Map<string, Layer>();
  const inputs: tf.SymbolicTensor[] = [];
  let last = '';
  doc.layers.forEach((spec, i) => {
    const name = nameOf(spec, i);
    if (spec.className === 'InputLayer') {
      inputs.push(tf.input({ shape: [...(spec.shape as number[])], name }));
      values.set(name, inputs[inputs.length - 1] as tf.SymbolicTensor);
    } else {
      const layer = spec.shares === undefined ? makeLayer(spec, name) : (layers.get(spec.shares) as Layer);
      const sources = (spec.from ?? [last]).map((source) => values.get(source) as tf.SymbolicTensor);
      layers.set(name, layer);
      values.set(name, layer.apply(sources.length === 1 ? (sources[0] as tf.SymbolicTensor) : sources) as tf.SymbolicTensor);
    }
    last = name;
  });
  const outputs = (doc.outputs ?? [last]).map((name) => values.get(name) as tf.SymbolicTensor);
  fill(
    doc,
    doc.layers.map((spec, i) => layers.get(nameOf(spec, i))),
  );
  return tf.model({ inputs, outputs });
}

/** Gives the document's matrices W to its layers, in order. */
function fill(doc: ReferenceDocument, layers: ReadonlyArray<Layer | undefined>): void {
  let next = 0;
  doc.layers.forEach((spec, i) => {
    const own = doc.weights.slice(next, next + blocksOf(spec).length) as ReadonlyArray<Rows>;
    next += own.length;
    if (own.length > 0) setWeights(layers[i] as Layer, spec, own);
  });
}
