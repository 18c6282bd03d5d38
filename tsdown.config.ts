import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** The build makes the package's entries: `.` and `./extend` from `src/`, `./plugins/x` from `plugins/x/index.ts`. */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const plugins = Object.keys(exports).flatMap((path) => /^\.\/(plugins\/.+)$/.exec(path)?.[1] ?? []);

export default defineConfig({
  // One build for all entries: a plugin's import of `tfjs-laplace` is then the index beside it, not a copy.
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
  sourcemap: true,
});
