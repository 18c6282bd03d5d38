/** Puts values and alternatives into words, for error messages. */

const LONGEST = 60;

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** Describes a value in a few words. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return cut(JSON.stringify(value));
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    case 'bigint':
      return `${value}n`;
    case 'object':
      return describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object | null): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of length ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object') return `a value of type ${kind}`;
  return describeKnown(value as Readonly<Record<string, unknown>>) ?? describeKeys(value);
}

/** What users of tfjs, rxjs and fp-ts know by a name; undefined for any other object. */
export function describeKnown(value: Readonly<Record<string, unknown>>): string | undefined {
  const { _tag: tag, shape, getClassName: className, subscribe } = value;
  if (tag === 'Left' || tag === 'Right') return `an Either (a ${tag})`;
  if (typeof tag === 'string') return cut(`a value tagged ${quote(tag)}`);
  if ('dataId' in value && Array.isArray(shape)) return `a tensor [${shape.join(', ')}]`;
  if (typeof className === 'function') return `a tfjs ${String(className.call(value))}`;
  return typeof subscribe === 'function' ? 'an Observable' : undefined;
}

function describeKeys(value: object): string {
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty object' : cut(`an object with the keys ${keys.join(', ')}`);
}

const quote = (text: string): string => `'${text}'`;

/** `'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`. */
export function alternatives(allowed: ReadonlyArray<string>): string {
  const quoted = allowed.map(quote);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** ` (did you mean 'samples'?)` if one of the allowed words differs by a few letters, otherwise ''. */
export function suggestion(word: string, allowed: ReadonlyArray<string>): string {
  const [nearest] = allowed
    .map((candidate) => ({ candidate, distance: edits(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.floor(0.4 * candidate.length))
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined ? '' : ` (did you mean ${quote(nearest.candidate)}?)`;
}

/** The Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a.slice(0, LONGEST)].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
