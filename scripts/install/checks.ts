/** What is checked in a project in which the package is installed. Every check resolves with a complaint, or with undefined. */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Example } from '../../__tests__/docs/extract.js';
import { run, tool } from '../setup/process.mjs';
import { CHECK, commonJs, esModule, typedCommonJs, typedModule } from './programs.js';

type Complaint = Promise<string | undefined>;

const complaintOf = async (running: ReturnType<typeof run>): Complaint => {
  const { code, output } = await running;
  return code === 0 ? undefined : output;
};

const LOAD = { esm: 'await import(file)', commonjs: 'await createRequire(import.meta.url)(file)' };

/** Runs every example in one process, and checks the values that its comments state. */
export function examplesRun(folder: string, examples: ReadonlyArray<Example>, format: 'esm' | 'commonjs'): Complaint {
  const [extension, program] = format === 'esm' ? ['mjs', esModule] : ['cjs', commonJs];
  writeFileSync(join(folder, 'check.cjs'), CHECK);
  const files = examples.map(({ line, code }) => {
    const file = `./readme-${line}.${extension}`;
    writeFileSync(join(folder, file), program(code));
    return file;
  });
  const main = `run-${format}.mjs`;
  const text = `
    import { createRequire } from 'node:module';
    for (const file of ${JSON.stringify(files)}) {
      try {
        ${LOAD[format]};
      } catch (error) {
        console.error(file, error);
        process.exitCode = 1;
      }
    }
  `;
  writeFileSync(join(folder, main), text);
  return complaintOf(run(process.execPath, [main], { cwd: folder }));
}

/** The strictest options of the compiler. tfjs's own declarations do not compile, so that declarations of libraries are skipped. */
const STRICT = {
  target: 'es2022',
  lib: ['es2022', 'dom'],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: false,
  skipLibCheck: true,
  declaration: true,
  emitDeclarationOnly: true,
  rootDir: 'types',
};

/** Type-checks every example: as a module of Node in both formats, and as a bundler reads it. */
export async function examplesCompile(root: string, folder: string, examples: ReadonlyArray<Example>): Complaint {
  const types = join(folder, 'types');
  mkdirSync(types, { recursive: true });
  for (const { line, code } of examples) {
    writeFileSync(join(types, `readme-${line}.mts`), typedModule(code));
    writeFileSync(join(types, `readme-${line}.cts`), typedCommonJs(code));
  }
  const projects = {
    node: { compilerOptions: { ...STRICT, module: 'nodenext', outDir: 'node' }, include: ['types'] },
    bundler: {
      compilerOptions: { ...STRICT, module: 'esnext', moduleResolution: 'bundler', outDir: 'bundler' },
      include: ['types/*.mts'],
    },
  };
  const [tsc, ...before] = tool(root, 'tsc', 'typescript');
  const complaints: string[] = [];
  for (const [name, project] of Object.entries(projects)) {
    writeFileSync(join(folder, `tsconfig.${name}.json`), JSON.stringify(project));
    const complaint = await complaintOf(run(tsc, [...before, '--project', `tsconfig.${name}.json`], { cwd: folder }));
    if (complaint !== undefined) complaints.push(`${name}: ${complaint}`);
  }
  return complaints.length === 0 ? undefined : complaints.join('\n');
}

/** Whether the project and the package load the same copy of each package whose values they exchange. */
export async function oneCopy(folder: string, name: string): Complaint {
  const manifest = createRequire(join(folder, 'main.js')).resolve(`${name}/package.json`);
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(manifest, 'utf8'));
  const inside = createRequire(realpathSync(manifest));
  // The project asks for TensorFlow.js by the package that brings all of its parts.
  const outside = createRequire(join(folder, 'main.js'));
  const tfjs = createRequire(realpathSync(outside.resolve('@tensorflow/tfjs')));
  const shared = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional);
  const different = shared.filter((peer) => {
    const from = peer.startsWith('@tensorflow/') ? tfjs : outside;
    return realpathSync(from.resolve(peer)) !== realpathSync(inside.resolve(peer));
  });
  return different.length === 0 ? undefined : `there are two copies of ${different.join(', ')}`;
}

/** Runs a program with the package, as a module of the project. */
export function programRuns(folder: string, file: string, text: string): Complaint {
  writeFileSync(join(folder, file), text);
  return complaintOf(run(process.execPath, [file], { cwd: folder }));
}
