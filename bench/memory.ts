/**
 * Device memory as buffers: what is allocated, once however many tensors look at it. `tf.memory().numBytes` and `tf.profile` count a
 * buffer anew for every reshape of it; so does tfjs-node's bookkeeping, though TensorFlow shares the memory.
 */
import * as tf from '@tensorflow/tfjs';

interface Tracked {
  readonly dataId: object;
  readonly size: number;
  readonly dtype: tf.DataType;
}

/** tfjs's own bookkeeping of tensors, of which it has no public form. */
interface Bookkeeping {
  trackTensor: (tensor: Tracked, backend: unknown) => void;
  removeDataId: (dataId: object, backend: unknown) => void;
  runKernel: (name: string, ...rest: unknown[]) => unknown;
  readonly state: { readonly tensorInfo: WeakMap<object, unknown> };
}

/** Bytes allocated while `run` was at work. */
export interface Peak {
  /** The most that was alive at once, of what was made since the beginning. */
  readonly bytes: number;
  /** The most until `mark` was first called; all of it where it never was. */
  readonly untilMark: number;
}

/** Runs `run` and tells the most bytes of new buffers that were alive at once. */
export async function peakOf(run: (mark: () => void) => unknown): Promise<Peak> {
  const engine = tf.engine() as unknown as Bookkeeping;
  const { trackTensor, removeDataId, runKernel } = engine;
  let kernel = '';
  const alive = new Map<object, number>();
  let [now, most, marked] = [0, 0, undefined as number | undefined];
  engine.trackTensor = (tensor, backend) => {
    const known = kernel === 'Reshape' || engine.state.tensorInfo.has(tensor.dataId);
    trackTensor.call(engine, tensor, backend);
    if (known) return;
    const bytes = tensor.size * tf.util.bytesPerElement(tensor.dtype);
    alive.set(tensor.dataId, bytes);
    now += bytes;
    most = Math.max(most, now);
  };
  engine.removeDataId = (dataId, backend) => {
    removeDataId.call(engine, dataId, backend);
    now -= alive.get(dataId) ?? 0;
    alive.delete(dataId);
  };
  engine.runKernel = (name, ...rest) => {
    const outer = kernel;
    kernel = name;
    try {
      return runKernel.call(engine, name, ...rest);
    } finally {
      kernel = outer;
    }
  };
  try {
    await run(() => {
      marked ??= most;
    });
  } finally {
    Object.assign(engine, { trackTensor, removeDataId, runKernel });
  }
  return { bytes: most, untilMark: marked ?? most };
}
