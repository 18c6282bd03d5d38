/** `node build.mjs FOLDER`: an app with the built package, its page bundled, and as JSON what is in it. Vite comes as ES modules only. */
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from '../../scripts/browser/app.mjs';
import { bundlePage, bundleScript } from '../../scripts/browser/bundle.mjs';
import { sizes } from '../../scripts/browser/sizes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const app = /** @type {string} */ (process.argv[2]);
await installed(join(here, '..', '..'), app);
for (const file of ['page', 'analysis.ts', 'kept.ts', 'lostContext.ts', 'outcome.ts'])
  cpSync(join(here, file), join(app, file), { recursive: true });
writeFileSync(join(app, 'node.js'), "export * from 'tfjs-laplace/plugins/plots';\n");
const bundles = {
  page: await bundlePage(join(app, 'page')),
  ...(await sizes(app)),
  forNode: await bundleScript(app, 'node.js', /^[^.]*(vega|resvg)/),
};
process.stdout.write(JSON.stringify(bundles));
