/** Measures what the installed package adds to a page, for several sets of imports. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleScript } from './bundle.mjs';

/** Plugins for Node only: they read or write files, or draw on a terminal. */
const FOR_NODE = ['data-files', 'distributed', 'plots', 'progress'];

/**
 * Bundles four sets of imports and measures each.
 *
 * @param {string} app folder of an app that has the package installed
 */
export async function sizes(app) {
  const { name, exports, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(app, 'node_modules', 'tfjs-laplace', 'package.json'), 'utf8'),
  );
  const entries = Object.keys(exports).filter((path) => !path.endsWith('.json') && !FOR_NODE.some((p) => path.endsWith(`/${p}`)));
  const everything = entries.map((path, i) => `export * as part${i} from '${name}${path.slice(1)}';\n`).join('');
  const aFew = [
    `export { laplaceCallback } from '${name}/plugins/tfjs-callback';`,
    `export { categorical, finalEpochs, kfac, linearised, predict, toPosterior } from '${name}';`,
  ].join('\n');
  writeFileSync(join(app, 'everything.js'), everything);
  writeFileSync(join(app, 'few.js'), aFew);
  const packages = Object.keys({ ...dependencies, ...peerDependencies });
  const others = new RegExp(`^(${packages.join('|')})(/|$)`);
  const tfjs = /^@tensorflow\//;
  const nothing = /^$/;
  return {
    own: { what: 'every entry for browsers, without dependencies', ...(await bundleScript(app, 'everything.js', others)) },
    everything: { what: '  with all dependencies but TensorFlow.js', ...(await bundleScript(app, 'everything.js', tfjs)) },
    few: { what: 'callback, posterior and predict, without TensorFlow.js', ...(await bundleScript(app, 'few.js', tfjs)) },
    whole: { what: '  with its core and layers, without a backend', ...(await bundleScript(app, 'few.js', nothing)) },
  };
}
