import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** The entries to build are the exports of package.json: `.` and `./extend` come from `src/`, `./plugins/x` from `plugins/x/index.ts`. */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const plugins = Object.keys(exports).flatMap((path) => /^\.\/(plugins\/.+)$/.exec(path)?.[1] ?? []);

const shared = { target: 'es2022', fixedExtension: false } as const;

const library = defineConfig({
  ...shared,
  // All entries are built together, so that a plugin imports the built index instead of bundling a copy of the library.
  entry: {
    index: 'src/index.ts',
    extend: 'src/extend.ts',
    ...Object.fromEntries(plugins.map((name) => [name, `${name}/index.ts`])),
  },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'neutral',
  // No source maps. The files are not minified: they keep names and docstrings, and a comment names the source of each part. Maps
  // would be 3.0 of 5.2 MB of the package (1.5 MB packed with them, 0.7 without).
  sourcemap: false,
});

/** The command line, for Node. It imports the library by its name, like everybody else. */
const commandLine = defineConfig({
  ...shared,
  entry: { cli: 'plugins/command-line/main.ts' },
  format: ['esm'],
  platform: 'node',
  external: [/^tfjs-laplace/],
  dts: false,
  clean: false,
});

export default [library, commandLine];
