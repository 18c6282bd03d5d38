/** What a chapter is made of. A chapter is a value: the terminal and the page print it, and its pictures are drawn only then. */

/** A paragraph, a table, or a picture. */
export type Block =
  | { readonly _tag: 'text'; readonly text: string }
  | { readonly _tag: 'table'; readonly head: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<string>> }
  | Picture;

export interface Picture {
  readonly _tag: 'picture';
  /** Name of its files, without extension. */
  readonly name: string;
  /** What it shows, for those who cannot see it too. */
  readonly caption: string;
  /** Draws it, as SVG text. */
  readonly draw: () => Promise<string> | string;
}

export interface Chapter {
  readonly title: string;
  /** What the chapter finds, in a sentence or two. */
  readonly gist: string;
  readonly blocks: ReadonlyArray<Block>;
}

/** A paragraph of these sentences. Empty ones are left out. */
export const text = (...sentences: ReadonlyArray<string>): Block => ({
  _tag: 'text',
  text: sentences.filter((sentence) => sentence !== '').join(' '),
});

/** The same words, where no line is broken between a number, its standard error and its unit. */
export const unbroken = (words: string): string => words.replace(/ (?=[±%])|(?<=±) |(?<=\d) (?=nats)/g, '\u00a0');

export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): Block => ({
  _tag: 'table',
  head,
  rows,
});

export const picture = (name: string, caption: string, draw: Picture['draw']): Block => ({
  _tag: 'picture',
  name,
  caption,
  draw,
});
