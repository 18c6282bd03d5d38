/**
 * Finds the examples of a text: every fenced `ts` block after an `@example` of a TypeScript file's docstrings, and every fenced
 * `ts` block of a Markdown file. A block that opens with `ts no-run` is compiled and not executed, as in rustdoc.
 */

export interface Example {
  readonly file: string;
  /** The line of the fence, from 1. */
  readonly line: number;
  readonly code: string;
  readonly run: boolean;
}

/** A line of documentation, or undefined where the text is code. */
type Documented = string | undefined;

/** Documentation of a TypeScript file: what stands in a docstring from its `@example` to its next tag. */
function docstrings(text: string): ReadonlyArray<Documented> {
  let inExample = false;
  return text.split('\n').map((line) => {
    const content = /^\s*\*(?!\/) ?(.*)$/.exec(line)?.[1];
    const tag = /^@(\w+)/.exec(content ?? '')?.[1];
    inExample = content !== undefined && (tag === undefined ? inExample : tag === 'example');
    return inExample ? content : undefined;
  });
}

export function examplesIn(file: string, text: string): ReadonlyArray<Example> {
  const lines = file.endsWith('.md') ? text.split('\n') : docstrings(text);
  const examples: Example[] = [];
  let open: { readonly line: number; readonly info: string; readonly code: string[] } | undefined;
  for (const [i, line] of lines.entries()) {
    const fence = /^\s*```(.*)$/.exec(line ?? '')?.[1]?.trim();
    if (open !== undefined && line === undefined) throw new Error(`${file}:${open.line}: the example is not closed`);
    if (fence === undefined) {
      if (line !== undefined) open?.code.push(line);
    } else if (open === undefined) {
      open = { line: i + 1, info: fence, code: [] };
    } else {
      if (/^ts\b/.test(open.info)) {
        examples.push({ file, line: open.line, code: open.code.join('\n'), run: !/\bno-run\b/.test(open.info) });
      }
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the example is not closed`);
  return examples;
}
