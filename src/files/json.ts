/** JSON of unknown origin. `JSON.parse` keeps the last of several equal keys, and would let a file say two things. Such text is refused. */
import { either as E } from 'fp-ts';

/** Deeper nesting is refused before anything is made of the text: no header of this library has it. */
const DEEPEST = 32;

/**
 * The value of a JSON text, or what is wrong with it in a few words.
 *
 * The objects in the value have the keys of the text as keys of their own, also if one of them is `__proto__`: read them with
 * `Object.entries` and the like.
 */
export function strictJson(text: string): E.Either<string, unknown> {
  if (depthOf(text) > DEEPEST) return E.left(`more than ${DEEPEST} levels of nesting`);
  try {
    const value: unknown = JSON.parse(text);
    const key = keyTwice(text);
    return key === undefined ? E.right(value) : E.left(`the key ${key} twice`);
  } catch {
    return E.left('text that is no JSON');
  }
}

/** The place of the quotation mark that ends the string which begins at a place; the end of the text if none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** How deep objects and lists lie in each other, as soon as it is too deep. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < text.length && deepest <= DEEPEST; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth--;
  }
  return deepest;
}

/** A key that an object of a text, which is JSON, has twice. */
function keyTwice(text: string): string | undefined {
  /** The keys so far of each object around the present place; undefined for a list. */
  const around: Array<Set<string> | undefined> = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') around.push(character === '{' ? new Set() : undefined);
    else if (character === '}' || character === ']') around.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const token = text.slice(at, end + 1);
      at = end;
      let next = end + 1;
      while (' \t\n\r'.includes(text[next] ?? 'x')) next++;
      if (text[next] !== ':') continue;
      const key = JSON.parse(token) as string;
      const known = around.at(-1);
      if (known?.has(key)) return JSON.stringify(key);
      known?.add(key);
    }
  }
  return undefined;
}
