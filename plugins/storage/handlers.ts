/**
 * Handlers of tf.io, which are made for models. A file travels as a model without layers: its bytes are the weights, and what is known about
 * it is the topology. Models of the same browser store keep their own keys.
 */
import { io } from '@tensorflow/tfjs-core';
import { joined } from 'tfjs-laplace/extend';
import { within } from './failure.js';
import { type File, type Place, readerOf } from './types.js';

export const isHandler = (where: unknown): where is io.IOHandler =>
  typeof where === 'object' && where !== null && ('save' in where || 'load' in where);

const FORMAT = 'tfjs-laplace';

/** A file as what handlers take. Every byte is a weight of the type that has one byte. */
const artifactsOf = ({ pieces, about }: File): io.ModelArtifacts => ({
  format: FORMAT,
  generatedBy: FORMAT,
  modelTopology: about as Record<string, unknown>,
  weightSpecs: [{ name: FORMAT, shape: [pieces.size], dtype: 'bool' }],
  weightData: joined(pieces).buffer as ArrayBuffer,
});

async function bytesOf(artifacts: io.ModelArtifacts): Promise<Uint8Array> {
  const { weightData, weightSpecs } = artifacts;
  if (weightSpecs?.[0]?.name !== FORMAT || weightData === undefined) {
    throw new Error('what is kept there is a model, or something else, and no file of this library');
  }
  return new Uint8Array(Array.isArray(weightData) ? await new Blob(weightData).arrayBuffer() : weightData);
}

/** The place that a handler stands for. */
export function handlerPlace(handler: io.IOHandler, name = 'the handler'): Place {
  return {
    name,
    write: (file) =>
      within('write', name, async () => {
        if (handler.save === undefined) throw new Error('the handler cannot save');
        await handler.save(artifactsOf(file));
      }),
    read: async (work) => {
      const bytes = await within('read', name, async () => {
        if (handler.load === undefined) throw new Error('the handler cannot load');
        return bytesOf(await handler.load());
      });
      return work(readerOf(bytes));
    },
  };
}

/** The place of a URL that tf.io knows a handler for: a store of the browser. A model may have the same URL. */
export function registeredPlace(where: string, name: string): Place {
  const own = `${where.replace(/\/+$/, '')}/${name}`;
  const handler = (handlers: io.IOHandler[]): io.IOHandler => {
    const [first] = handlers;
    if (first === undefined) throw new Error('there is no such store here: it is one of browsers');
    return first;
  };
  const place = (kind: 'save' | 'load'): Place =>
    handlerPlace(handler(kind === 'save' ? io.getSaveHandlers(own) : io.getLoadHandlers(own)), own);
  return {
    name: own,
    write: async (file) => (await within('write', own, async () => place('save'))).write(file),
    read: async (work) => (await within('read', own, async () => place('load'))).read(work),
  };
}
