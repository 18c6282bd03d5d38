/**
 * Measures device memory in allocated buffers, each counted once however many tensors share it. `tf.memory().numBytes` and
 * `tf.profile` count a buffer again for every reshape of it. So does the bookkeeping of tfjs-node, although TensorFlow shares the
 * memory.
 */
import * as tf from '@tensorflow/tfjs';

interface Tracked {
  readonly dataId: object;
  readonly size: number;
  readonly dtype: tf.DataType;
}

/** The part of tfjs's bookkeeping of tensors that is used here. It is not public. */
interface Bookkeeping {
  trackTensor: (tensor: Tracked, backend: unknown) => void;
  removeDataId: (dataId: object, backend: unknown) => void;
  runKernel: (name: string, ...rest: unknown[]) => unknown;
  readonly state: { readonly tensorInfo: WeakMap<object, unknown> };
}

/** Bytes of new buffers while `run` was at work. */
export interface Peak {
  /** The most bytes of new buffers that were alive at once. */
  readonly bytes: number;
  /** The most bytes until the first call of `mark`; equal to `bytes` if `mark` was never called. */
  readonly untilMark: number;
}

/**
 * Runs `run`, and measures how many bytes of new buffers are alive at once.
 *
 * @param run the work; it may call `mark` once to note the peak so far
 */
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
