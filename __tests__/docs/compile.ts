/**
 * Compiles examples: type-checks them as modules beside the file that they document, and makes them functions.
 *
 * A comment `// => value` behind a statement asserts the value of its expression, or of the one constant it declares. `value` is
 * any expression in the scope of the example; a number that ends in `…` is cut there: `0.69…` is anything that begins so.
 */
import { dirname, join, resolve, sep } from 'node:path';
import ts from 'typescript';
import type { Example } from './extract.js';

const MARK = '// =>';

/** Reports the value and the expected value of the assertion of that number. */
export type Check = (index: number, actual: unknown, expected: unknown) => void;
/** Stands in an expected value for a number of which `digits` decimals are given. */
export type Near = (shown: string) => unknown;
export type Require = (specifier: string) => unknown;

export interface Compiled {
  readonly assertions: number;
  readonly run: (load: Require, check: Check, near: Near) => Promise<void>;
}

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...args: unknown[]) => Promise<void>;

export function compile({ file, code }: Example, root: string): Compiled {
  const { text, assertions } = instrument(code);
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const body = new AsyncFunction('require', 'exports', '__check', '__near', outputText);
  // A neighbour of the documented file is named as that file would name it.
  const at = (specifier: string) =>
    specifier.startsWith('.') ? resolve(root, dirname(file), specifier).replace(/\.js$/, '') : specifier;
  return { assertions, run: (load, check, near) => body((specifier: string) => load(at(specifier)), {}, check, near) };
}

/** The code with its assertions made calls of `__check`. */
export function instrument(code: string): { readonly text: string; readonly assertions: number } {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const edits: Array<{ readonly start: number; readonly end: number; readonly text: string }> = [];

  const visit = (node: ts.Node): void => {
    const expected = asserted(code, node);
    if (expected !== undefined) {
      const value = expected.replace(/-?\d+\.\d*(?=…)/g, (shown) => `__near('${shown}')`).replaceAll('…', '');
      const call = (actual: string) => `__check(${edits.length}, ${actual}, (${value}\n));`;
      const [start, end] = [node.getStart(source), node.getEnd()];
      if (ts.isExpressionStatement(node)) edits.push({ start, end, text: call(node.expression.getText(source)) });
      const declared = ts.isVariableStatement(node) ? node.declarationList.declarations : [];
      if (declared.length === 1 && declared[0] !== undefined) {
        edits.push({ start: end, end, text: `\n${call(declared[0].name.getText(source))}` });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);

  const marks = code.split(MARK).length - 1;
  if (marks !== edits.length) throw new Error(`${marks - edits.length} of ${marks} '${MARK}' do not stand behind a statement`);
  const text = edits.reduceRight((all, edit) => all.slice(0, edit.start) + edit.text + all.slice(edit.end), code);
  return { text, assertions: edits.length };
}

/** What a comment behind a statement says of it. */
function asserted(code: string, node: ts.Node): string | undefined {
  if (!ts.isStatement(node)) return undefined;
  const comments = ts.getTrailingCommentRanges(code, node.getEnd()) ?? [];
  const text = comments.map(({ pos, end }) => code.slice(pos, end)).find((comment) => comment.startsWith(MARK));
  return text?.slice(MARK.length).trim();
}

/** The complaints of the type checker about each example, in words. */
export function typeErrors(examples: ReadonlyArray<Example>, root: string): ReadonlyMap<Example, ReadonlyArray<string>> {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  // What an example computes it may leave unused, and `layers[0]` is no lesson in undefined.
  const own = { ...options, noUnusedLocals: false, noUncheckedIndexedAccess: false };
  // The compiler writes paths with slashes, on Windows too.
  const at = (example: Example): string =>
    join(root, dirname(example.file), `example-${example.line}-${name(example)}`).replaceAll(sep, '/');
  const byPath = new Map(examples.map((example) => [at(example), example]));

  const host = ts.createCompilerHost(own);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => byPath.has(path) || fileExists(path);
  host.readFile = (path) => byPath.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const example = byPath.get(path);
    return example === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, `${example.code}\nexport {};`, language);
  };

  const program = ts.createProgram([...byPath.keys()], own, host);
  const complaints = (path: string) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  };
  return new Map([...byPath].map(([path, example]) => [example, complaints(path)]));
}

const name = ({ file }: Example): string => file.replace(/.*\//, '').replace(/(\.ts|\.md)?$/, '.ts');
