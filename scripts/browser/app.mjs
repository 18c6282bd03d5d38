/** Makes an app that has the package installed as from a registry: built, packed and unpacked. Its dependencies are linked. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, runNpm, tool } from '../setup/process.mjs';

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
  const [program, ...args] = tool(root, 'tsdown');
  await done(run(program, [...args, '--out-dir', join(source, 'dist'), '--log-level', 'error'], { cwd: root }), 'tsdown');
  // The list of files in package.json decides what is packed. So a file that it forgets is missing in the app too.
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(root, file), join(source, file));
  await done(runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: source }), 'npm pack');
  const archive = `${manifest.name}-${manifest.version}.tgz`;
  const unpacked = join('node_modules', manifest.name);
  await done(run('tar', ['-xzf', archive, '--strip-components=1', '-C', unpacked], { cwd: folder }), 'tar');
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, '@tensorflow/tfjs': '' })) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
}

/** @param {ReturnType<typeof run>} running @param {string} what */
async function done(running, what) {
  const { code, output } = await running;
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${output}`);
}
