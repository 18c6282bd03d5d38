/** The options of writing and reading files. */
import { boolean, defaulted, isRecord, literals, optional, refined, struct } from '../codec/index.js';
import { FACTORS, type Factors } from '../curvature/factors.js';
import type { LikelihoodOf } from '../likelihood/index.js';
import { POSTERIOR } from '../posterior/kind.js';
import type { Posterior } from '../posterior/posterior.js';
import { DTYPE_NAMES, type Dtype } from './dtypes.js';

/** Options of `encodePosterior` and `encodeFactors`. */
export interface EncodeOptions {
  /**
   * How numbers are written. `'F64'`, the default, keeps every bit. `'F32'`, `'F16'` and `'BF16'` are smaller, and round: for transport, not
   * for factors that will be added up.
   */
  readonly dtype?: Dtype;
}

/** Options of `encodeFactors`. */
export interface EncodeFactorsOptions extends EncodeOptions {
  /**
   * What all parts of a pass have in common: the weights, and for `ekfac` the rotations. With `'apart'` they are left out, for many parts of
   * which one file holds them: one of the parts, or the posterior that was their basis. Default `'inside'`.
   */
  readonly common?: 'inside' | 'apart';
}

/** Options of `decodePosterior` and `decodeFactors`. */
export interface DecodeOptions {
  /** The values of `customLikelihood` that the file may name. Files hold no functions. */
  readonly likelihoods?: ReadonlyArray<LikelihoodOf<'custom'>>;
}

/** Options of `decodeFactors`. */
export interface DecodeFactorsOptions extends DecodeOptions {
  /**
   * Where a file that was written `'apart'` has the rest from: factors of the same weights and layout; or a posterior at the same weights with
   * the same layers, which for `ekfac` must be the basis in which the factors were summed.
   */
  readonly like?: Factors | Posterior;
}

/** Whether a file is read once from end to end when it is opened. */
export interface VerifyOption {
  /**
   * Checks all bytes against the hash of the file at once: the file is read from end to end, and nothing of it is kept. Default true. With
   * false only what `whole` gives is checked against the hash; damage inside the numbers of a single layer may then pass.
   */
  readonly verify?: boolean;
}

/** Options of `openPosterior`. */
export interface OpenOptions extends DecodeOptions, VerifyOption {}

/** Options of `openFactors`. */
export interface OpenFactorsOptions extends DecodeFactorsOptions, VerifyOption {}

export const EncodeOptionsCodec = struct('options', { dtype: defaulted(literals(...DTYPE_NAMES), 'F64') });

export const EncodeFactorsOptionsCodec = struct('options', {
  dtype: defaulted(literals(...DTYPE_NAMES), 'F64'),
  common: defaulted(literals('inside', 'apart'), 'inside'),
});

/** Decodes the values of `customLikelihood` that a file may name. */
export const OwnLikelihoodsCodec = refined(
  'a list of values of customLikelihood',
  (value): value is ReadonlyArray<LikelihoodOf<'custom'>> =>
    Array.isArray(value) && value.every((own) => isRecord(own) && own._tag === 'custom'),
);

const DECODE = { likelihoods: optional(OwnLikelihoodsCodec) };

const LikeCodec = refined(
  'factors or a posterior',
  (value): value is Factors | Posterior => FACTORS.is(value) || POSTERIOR.is(value),
);

const DECODE_FACTORS = { ...DECODE, like: optional(LikeCodec) };
const VERIFY = { verify: defaulted(boolean, true) };

export const DecodeOptionsCodec = struct('options', DECODE);

export const DecodeFactorsOptionsCodec = struct('options', DECODE_FACTORS);

export const OpenOptionsCodec = struct('options', { ...DECODE, ...VERIFY });

export const OpenFactorsOptionsCodec = struct('options', { ...DECODE_FACTORS, ...VERIFY });

/** The bytes of a file, in any of the forms that readers give. */
export const BytesCodec = refined('bytes: a Uint8Array or an ArrayBuffer', (value): value is Uint8Array | ArrayBuffer =>
  ['[object Uint8Array]', '[object ArrayBuffer]'].includes(kindOf(value)),
);

/** The kind of a value, of whichever realm: that of a worker, or of a test, has its own classes. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value);

export const bytesOf = (given: Uint8Array | ArrayBuffer): Uint8Array =>
  ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
