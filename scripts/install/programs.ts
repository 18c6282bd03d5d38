/** Makes programs of an example: as an ES module and as CommonJS, to run and to type-check. */
import ts from 'typescript';
import { instrument } from '../../__tests__/docs/compile.js';

/** The file that every program to run loads: it counts and checks the values that comments state. */
export const CHECK = `
const { deepStrictEqual } = require('node:assert');
module.exports = () => {
  const checked = new Set();
  class Near {
    constructor(shown) {
      this.shown = shown;
    }
    suits(actual) {
      const decimals = this.shown.split('.')[1].length;
      const below = Number(this.shown);
      return typeof actual === 'number' && Math.abs(actual) >= Math.abs(below) && Math.abs(actual - below) < 10 ** -decimals;
    }
  }
  const near = (shown) => new Near(shown);
  // A number that is cut after its first decimals stands for every number that begins so.
  const meant = (actual, expected) => {
    if (expected instanceof Near) return expected.suits(actual) ? actual : expected;
    return Array.isArray(expected) && Array.isArray(actual) ? expected.map((e, i) => meant(actual[i], e)) : expected;
  };
  const check = (index, actual, expected) => {
    checked.add(index);
    deepStrictEqual(actual, meant(actual, expected));
  };
  const done = (count) => {
    if (checked.size !== count) throw new Error(checked.size + ' of ' + count + ' values were checked');
  };
  return { check, done, near };
};
`;

const transpiled = (code: string, module: ts.ModuleKind): string =>
  ts.transpileModule(code, { compilerOptions: { module, target: ts.ScriptTarget.ES2022, esModuleInterop: true } }).outputText;

/** An ES module that runs an example and checks its values. */
export function esModule(code: string): string {
  const { text, assertions } = instrument(code);
  return [
    `import checker from './check.cjs';\nconst { check: __check, done: __done, near: __near } = checker();`,
    transpiled(text, ts.ModuleKind.ESNext),
    `__done(${assertions});`,
  ].join('\n');
}

/** A CommonJS module that runs an example and checks its values. It exports a promise. */
export function commonJs(code: string): string {
  const { text, assertions } = instrument(code);
  return [
    `const { check: __check, done: __done, near: __near } = require('./check.cjs')();\nmodule.exports = (async () => {`,
    transpiled(text, ts.ModuleKind.CommonJS),
    `__done(${assertions});\n})();`,
  ].join('\n');
}

/**
 * An ES module to type-check. It exports what the example declares, so that the compiler has to write down each inferred type. It
 * cannot where a type comes from a package that the user's project does not have.
 */
export const typedModule = (code: string): string => `${code.replace(/^const /gm, 'export const ')}\nexport {};\n`;

/** A CommonJS module to type-check. It has no top-level await, so that all but the imports is in a function. */
export function typedCommonJs(code: string): string {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const end = source.statements.filter(ts.isImportDeclaration).at(-1)?.getEnd() ?? 0;
  return `${code.slice(0, end)}\nexport async function example(): Promise<void> {${code.slice(end)}\n}\n`;
}
