import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** The entries to build are the exports of package.json: `.` and `./extend` come from `src/`, `./plugins/x` from `plugins/x/index.ts`. */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const plugins = Object.keys(exports).flatMap((path) => /^\.\/(plugins\/.+)$/.exec(path)?.[1] ?? []);

export default defineConfig({
  // All entries are built together, so that a plugin imports the built index instead of bundling a copy of the library.
  entry: {
    index: 'src/index.ts',
    extend: 'src/extend.ts',
    ...Object.fromEntries(plugins.map((name) => [name, `${name}/index.ts`])),
  },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  // No source maps. The files are not minified: they keep names and docstrings, and a comment names the source of each part. Maps
  // would be 3.0 of 5.2 MB of the package (1.5 MB packed with them, 0.7 without).
  sourcemap: false,
});
