/** Lists and dictionaries of values of one codec, and tables of numbers. All need at least one value, and decoding freezes them. */
import { either as E, function as F } from 'fp-ts';
import * as t from 'io-ts';
import { type Codec, codec, isRecord, type SchemaFrom } from './codec.js';
import { collect, toObject } from './collect.js';

/** A list with at least one item. */
export function array<A, I = A>(name: string, item: Codec<A, I>): Codec<ReadonlyArray<A>, ReadonlyArray<I>> {
  const isList = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value) && value.length > 0;
  // `Array.from` turns holes into `undefined`. `every` alone would pass over them.
  const is = (value: unknown): value is ReadonlyArray<A> => isList(value) && Array.from(value).every(item.is);

  const validate: t.Validate<unknown, ReadonlyArray<A>> = (value, context) => {
    if (!isList(value)) return t.failure(value, context, name);
    const parts = Array.from(value, (one, i) => [String(i), item, one] as const);
    return F.pipe(
      collect(parts, context),
      E.map((decoded) => Object.freeze(decoded.map(([, one]) => one))),
    );
  };
  const schema: SchemaFrom = (of) => {
    const items = of(item);
    return items && { description: name, type: 'array', items, minItems: 1 };
  };
  return codec(name, is, validate, { schema });
}

/** An object with at least one key. The caller chooses the keys. */
export function dictionary<A, I = A>(
  name: string,
  item: Codec<A, I>,
): Codec<Readonly<Record<string, A>>, Readonly<Record<string, I>>> {
  const isFilled = (value: unknown): value is Readonly<Record<string, unknown>> =>
    isRecord(value) && Object.keys(value).length > 0;
  const is = (value: unknown): value is Readonly<Record<string, A>> => isFilled(value) && Object.values(value).every(item.is);

  const validate: t.Validate<unknown, Readonly<Record<string, A>>> = (value, context) => {
    if (!isFilled(value)) return t.failure(value, context, name);
    const parts = Object.entries(value).map(([key, one]) => [key, item, one] as const);
    return F.pipe(collect(parts, context), E.map(toObject));
  };
  const schema: SchemaFrom = (of) => {
    const additionalProperties = of(item);
    return additionalProperties && { description: name, type: 'object', additionalProperties, minProperties: 1 };
  };
  return codec(name, is, validate, { schema });
}

/**
 * A list of lists of finite numbers, all of one length. There may be millions of them: they are checked in one loop, a table that is frozen
 * already is not copied, and the error does not say which number is wrong.
 */
export function numberRows(name: string): Codec<ReadonlyArray<ReadonlyArray<number>>> {
  const is = (value: unknown): value is ReadonlyArray<ReadonlyArray<number>> => {
    if (!Array.isArray(value) || value.length === 0 || !Array.isArray(value[0]) || value[0].length === 0) return false;
    const length = value[0].length;
    return Array.from(value).every((row) => Array.isArray(row) && row.length === length && allFinite(row));
  };
  const isFixed = (rows: ReadonlyArray<unknown>): boolean => Object.isFrozen(rows) && rows.every(Object.isFrozen);

  return codec(name, is, (value, context) => {
    if (!is(value)) return t.failure(value, context, name);
    return t.success(isFixed(value) ? value : Object.freeze(value.map((row) => Object.freeze([...row]))));
  });
}

/** A loop, since `every` would pass over holes. */
function allFinite(row: ReadonlyArray<unknown>): boolean {
  for (let i = 0; i < row.length; i++) if (!Number.isFinite(row[i])) return false;
  return true;
}
