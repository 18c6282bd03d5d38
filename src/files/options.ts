/** The options of writing and reading files. */
import { defaulted, isRecord, literals, optional, refined, struct } from '../codec/index.js';
import type { LikelihoodOf } from '../likelihood/index.js';
import { DTYPE_NAMES, type Dtype } from './dtypes.js';

/** Options of `encodePosterior` and `encodeFactors`. */
export interface EncodeOptions {
  /**
   * How numbers are written. `'F64'`, the default, keeps every bit. `'F32'`, `'F16'` and `'BF16'` are smaller, and round: for transport, not
   * for factors that will be added up.
   */
  readonly dtype?: Dtype;
}

/** Options of `decodePosterior` and `decodeFactors`. */
export interface DecodeOptions {
  /** The values of `customLikelihood` that the file may name. Files hold no functions. */
  readonly likelihoods?: ReadonlyArray<LikelihoodOf<'custom'>>;
}

export const EncodeOptionsCodec = struct('options', { dtype: defaulted(literals(...DTYPE_NAMES), 'F64') });

export const DecodeOptionsCodec = struct('options', {
  likelihoods: optional(
    refined(
      'a list of values of customLikelihood',
      (value): value is ReadonlyArray<LikelihoodOf<'custom'>> =>
        Array.isArray(value) && value.every((own) => isRecord(own) && own._tag === 'custom'),
    ),
  ),
});

/** The bytes of a file, in any of the forms that readers give. */
export const BytesCodec = refined('bytes: a Uint8Array or an ArrayBuffer', (value): value is Uint8Array | ArrayBuffer =>
  ['[object Uint8Array]', '[object ArrayBuffer]'].includes(kindOf(value)),
);

/** The kind of a value, of whichever realm: that of a worker, or of a test, has its own classes. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value);

export const bytesOf = (given: Uint8Array | ArrayBuffer): Uint8Array =>
  ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
