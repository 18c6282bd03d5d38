/** JSON of unknown origin. `JSON.parse` keeps the last of several equal keys, and would let a file say two things. Such text is refused. */
import { either as E } from 'fp-ts';

/** Deeper nesting is refused: no header of this library has it. */
const DEEPEST = 32;

const STRING = /"(?:[^"\\]|\\.)*"/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * The value of a JSON text, or what is wrong with it in a few words.
 *
 * The objects in the value have the keys of the text as keys of their own, also if one of them is `__proto__`: read them with
 * `Object.entries` and the like.
 */
export function strictJson(text: string): E.Either<string, unknown> {
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => 'text that is no JSON',
  );
  if (E.isLeft(parsed)) return parsed;
  const complaint = complaintOf(text);
  return complaint === undefined ? parsed : E.left(complaint);
}

/** What is wrong with a text that is JSON: a key that an object has twice, or nesting that is too deep. */
function complaintOf(text: string): string | undefined {
  /** The keys so far of each object around the present place; undefined for a list. */
  const around: Array<Set<string> | undefined> = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      around.push(character === '{' ? new Set() : undefined);
      if (around.length > DEEPEST) return `more than ${DEEPEST} levels of nesting`;
    } else if (character === '}' || character === ']') around.pop();
    else if (character === '"') {
      STRING.lastIndex = at;
      const [token] = STRING.exec(text) as RegExpExecArray;
      at += token.length - 1;
      SPACE.lastIndex = at + 1;
      SPACE.exec(text);
      if (text[SPACE.lastIndex] !== ':') continue;
      const key = JSON.parse(token) as string;
      const known = around.at(-1);
      if (known?.has(key)) return `the key ${JSON.stringify(key)} twice`;
      known?.add(key);
    }
  }
  return undefined;
}
