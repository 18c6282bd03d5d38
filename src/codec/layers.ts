/** Selects layers of a model by their names in TensorFlow.js. */
import * as t from 'io-ts';
import { type Codec, codec, refined } from './codec.js';
import { array } from './collections.js';
import { literals } from './scalars.js';
import { choiceSchema } from './schema.js';

const LayerName = refined('a layer name', (value): value is string => typeof value === 'string' && value !== '', {
  type: 'string',
  minLength: 1,
});
const LayerNames = array('an array of layer names, not empty', LayerName);
const Keyword = literals('all', 'last');

/** All layers that can be covered, the last of them, or the layers of the given names. */
export type LayerSelection = t.TypeOf<typeof Keyword> | t.TypeOf<typeof LayerNames>;

const EXPECTED = `${Keyword.name}, or ${LayerNames.name}`;

/** Decodes a selection of layers. */
export const LayerSelectionCodec: Codec<LayerSelection> = codec(
  EXPECTED,
  (value): value is LayerSelection => Keyword.is(value) || LayerNames.is(value),
  (value, context) => {
    if (Keyword.is(value)) return t.success(value);
    // An array is meant as a list of names, so only the names can be wrong.
    return Array.isArray(value) && value.length > 0 ? LayerNames.validate(value, context) : t.failure(value, context, EXPECTED);
  },
  { schema: (of) => choiceSchema({ title: 'a selection of layers' }, [of(Keyword), of(LayerNames)]) },
);
