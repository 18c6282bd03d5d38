/** Factors that are still in their file. */
import type { Factors } from '../curvature/factors.js';
import type { FactorsFacts, FactorsLayer } from './factors.js';
import { openFactorsFile } from './factorsOfFile.js';
import type { Layered } from './layers.js';
import type { OpenFactorsOptions } from './options.js';
import type { ByteReader } from './reader.js';

/** Factors that are still in their file: what its manifest says, and the layers of its layout one at a time. */
export type OpenedFactors = FactorsFacts & Layered<FactorsLayer, Factors> & { readonly _tag: 'OpenedFactors' };

/**
 * Opens the file of factors, as `openPosterior` opens that of a posterior, with the same checks. A layer comes with its weights, and with
 * its shares and its rotation if there are some.
 *
 * Rejects with the errors of `decodeFactors`, and with what the reader rejects with.
 *
 * @throws LaplaceError `InvalidOption` for an unknown option, or for a value that is no reader
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, encodeFactors, observe, openFactors, orThrow } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const factors = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors()));
 * const blob = new Blob([orThrow(encodeFactors(factors))]);
 * const read = (at: number, length: number) => blob.slice(at, at + length).arrayBuffer();
 * const opened = await openFactors({ size: blob.size, read });
 * opened.count; // => 3
 * opened.layout.layers.length; // => 1
 * (await opened.layer(0)).weights.rows; // => 3
 * ```
 */
export const openFactors = (reader: ByteReader, options: OpenFactorsOptions = {}): Promise<OpenedFactors> =>
  openFactorsFile(reader, options).then(({ facts, layer, whole }) =>
    Object.freeze({ _tag: 'OpenedFactors', ...facts, layer, whole } as const),
  );
