/** Training under the same circumstances every time. */
import type * as tf from '@tensorflow/tfjs';

/** A dataset of these batches that makes its tensors when asked, as `tf.data` does; `fitDataset` frees them. */
export const datasetOf = (
  data: { readonly x: tf.Tensor; readonly y: tf.Tensor },
  size: number,
): { iterator: () => Promise<{ next: () => Promise<IteratorResult<unknown>> }> } => ({
  iterator: async () => {
    let start = 0;
    return {
      next: async () => {
        const examples = data.x.shape[0] as number;
        if (start >= examples) return { value: null, done: true };
        const count = Math.min(size, examples - start);
        const cut = (t: tf.Tensor): tf.Tensor => t.slice([start], [count]);
        const value = { xs: cut(data.x), ys: data.y.rank === 1 ? cut(data.y).expandDims(1) : cut(data.y) };
        start += count;
        return { value, done: false };
      },
    };
  },
});

/** Runs with a `Math.random` that starts anew, so that shuffles are the same. */
export async function withSeededRandom<R>(run: () => Promise<R>): Promise<R> {
  let state = 1;
  const spy = jest.spyOn(Math, 'random').mockImplementation(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
  try {
    return await run();
  } finally {
    spy.mockRestore();
  }
}

/** Everything on a model, its optimizer, layers and losses that a patch could change: property by property. */
export function surface(model: tf.LayersModel): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const add = (path: string, object: object): void => {
    for (const [key, { value, ...rest }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      const stays = typeof value === 'function' || key === 'activation';
      found[`${path}.${key}`] = { ...rest, kind: typeof value, ...(stays ? { value } : {}) };
    }
  };
  const visit = (path: string, layer: tf.layers.Layer): void => {
    add(path, layer);
    if ('layers' in layer) for (const inner of (layer as tf.LayersModel).layers) visit(`${path}/${inner.name}`, inner);
  };
  visit(model.name, model);
  // A sequential model trains through a functional one that it keeps inside.
  const inner = (model as unknown as { model?: tf.LayersModel }).model ?? model;
  add('inner', inner);
  add('losses', inner.lossFunctions);
  add('optimizer', model.optimizer);
  return found;
}
