/** What a run of a recipe leaves behind, as data. */
import type * as t from 'io-ts';
import { anyOf, array, defaulted, type Flat, type InputOf, isRecord, literals, struct, text } from '../codec/index.js';
import { DTYPE_NAMES } from '../files/dtypes.js';

const Kept = struct('an output', {
  /** The place, as `savePosterior` takes it: `'file://FOLDER'`, `'indexeddb://KEY'`, … */
  to: text,
  /** What is kept there. A report needs a folder on disk. */
  keep: defaulted(array('a list of what is kept', literals('posterior', 'factors', 'report')), ['posterior', 'report']),
  /** How numbers of the posterior are written. Factors keep every bit, since they may be added up. */
  dtype: defaulted(literals(...DTYPE_NAMES), 'F64'),
});

/** Decodes an output. */
export const OutputCodec = anyOf(literals('none'), Kept, isRecord);

/** What a run of a recipe leaves behind. */
export type OutputChoices = Flat<t.TypeOf<typeof Kept>> | 'none';

/** An output as it may be written. */
export type OutputInput = Flat<InputOf<typeof Kept>> | 'none';
