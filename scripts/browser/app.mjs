/** Makes an app that has the package installed as from a registry: built, packed and unpacked. Its dependencies are linked. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../setup/process.mjs';

/**
 * Makes the app.
 *
 * @param {string} root folder of this repository
 * @param {string} folder folder in which the app is made
 */
export async function installed(root, folder) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [source, modules] = [join(folder, 'source'), join(folder, 'node_modules')];
  mkdirSync(source, { recursive: true });
  mkdirSync(join(modules, manifest.name), { recursive: true });
  await succeed(join(root, 'node_modules', '.bin', 'tsdown'), ['--out-dir', join(source, 'dist'), '--log-level', 'error'], root);
  // The list of files in package.json decides what is packed. So a file that it forgets is missing in the app too.
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(root, file), join(source, file));
  await succeed('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], source);
  const archive = `${manifest.name}-${manifest.version}.tgz`;
  await succeed('tar', ['-xzf', archive, '--strip-components=1', '-C', join('node_modules', manifest.name)], folder);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, '@tensorflow/tfjs': '' })) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
}

/** @param {string} command @param {ReadonlyArray<string>} args @param {string} cwd */
async function succeed(command, args, cwd) {
  const { code, output } = await run(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
}
