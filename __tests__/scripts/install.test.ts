/** The parts of `npm run install-check` that need no registry. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { examplesCompile, examplesRun, oneCopy } from '../../scripts/install/checks.js';
import { readReadme } from '../../scripts/install/readme.js';

const ROOT = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const readme = readReadme(join(ROOT, 'README.md'));
const isOptional = (name: string): boolean => manifest.peerDependenciesMeta[name]?.optional === true;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'install-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes files by their path in the folder. */
function files(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

describe('README', () => {
  it.each(['npm', 'pnpm', 'yarn'] as const)('names every package that a project needs, for %s', (manager) => {
    const needed = Object.keys(manifest.peerDependencies).filter((name) => !isOptional(name) && !name.startsWith('@tensorflow/'));
    expect(needed).toEqual(['fp-ts', 'rxjs']);
    expect(readme.install[manager]).toEqual(expect.arrayContaining([manifest.name, '@tensorflow/tfjs', ...needed]));
  });

  it('names every optional package, beside what it is for', () => {
    const named = readme.optional.map((name) => name.replace(/(.)@.*/, '$1'));
    const native = '@tensorflow/tfjs-node-gpu';
    // @tensorflow/tfjs brings the cpu backend.
    const all = Object.keys(manifest.peerDependencies).filter((name) => isOptional(name) && !/backend-cpu$/.test(name));
    expect([...named, native].sort()).toEqual(all.sort());
  });

  it('names a recipe that is in the package', () => {
    const recipe = readme.recipe.at(-1) ?? '';
    expect(recipe).toMatch(/^node_modules\/tfjs-laplace\/recipes\/.+\.ts$/);
    expect(() => readFileSync(join(ROOT, recipe.replace(`node_modules/${manifest.name}/`, '')))).not.toThrow();
    expect(manifest.files).toContain('recipes');
  });

  it('links to nothing that is not in the package', () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map((match) => match[1] as string);
    expect(links.length).toBeGreaterThan(3);
    expect(
      links.filter((path) => !manifest.files.some((entry: string) => path === entry || path.startsWith(`${entry}/`))),
    ).toEqual([]);
    expect(() => links.map((path) => readFileSync(join(ROOT, path)))).not.toThrow();
  });
});

describe('an example of README', () => {
  const example = (code: string) => ({ file: 'README.md', line: 1, code, run: true });
  const library = {
    'node_modules/a/package.json': '{ "main": "index.js" }',
    'node_modules/a/index.js': 'exports.two = 2;',
    'package.json': '{ "type": "module" }',
  };

  it.each(['esm', 'commonjs'] as const)('runs, and its values are checked, as %s', async (format) => {
    files(library);
    const run = (code: string) => examplesRun(folder, [example(code)], format);
    expect(await run("import { two } from 'a';\nconst four = (await Promise.resolve(two)) + 2; // => 4")).toBeUndefined();
    expect(await run("import { two } from 'a';\ntwo; // => 3")).toContain('AssertionError');
    expect(await run('if (1 > 2) {\n  1; // => 1\n}')).toContain('0 of 1 values were checked');
    expect(await run("import { three } from 'b';\nthree;")).toContain("'b'");
  });

  it('is checked by a strict compiler in both formats', async () => {
    files({ ...library, 'node_modules/a/index.d.ts': 'export declare const two: number;' });
    const compile = (code: string) => examplesCompile(ROOT, folder, [example(code)]);
    expect(await compile("import { two } from 'a';\nconst four = await Promise.resolve(two); // => 4")).toBeUndefined();
    const complaint = await compile("import { two } from 'a';\n[two][0].toFixed(); // => '2'");
    for (const file of ['readme-1.mts', 'readme-1.cts']) expect(complaint).toContain(file);
  });
});

it('two copies of a package that is shared are found', async () => {
  const copy = (path: string) => ({ [`${path}/package.json`]: '{ "main": "index.js" }', [`${path}/index.js`]: '' });
  const peers = {
    peerDependencies: { rxjs: '', '@tensorflow/tfjs-core': '', vega: '' },
    peerDependenciesMeta: { vega: { optional: true } },
  };
  const project = (name: string, ...seconds: string[]) => {
    const packages = ['rxjs', '@tensorflow/tfjs', '@tensorflow/tfjs-core', ...seconds];
    for (const path of packages) files(copy(join(name, 'node_modules', path)));
    files({ [join(name, 'node_modules', 'ours', 'package.json')]: JSON.stringify(peers) });
    return oneCopy(join(folder, name), 'ours');
  };
  expect(await project('good')).toBeUndefined();
  expect(await project('ours', 'ours/node_modules/rxjs')).toBe('there are two copies of rxjs');
  const tfjs = '@tensorflow/tfjs/node_modules/@tensorflow/tfjs-core';
  expect(await project('tfjs', tfjs)).toBe('there are two copies of @tensorflow/tfjs-core');
});
