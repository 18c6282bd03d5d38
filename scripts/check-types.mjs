/**
 * Has `attw` check the types of the package as it is packed. `attw --pack` packs into the working directory and then deletes the
 * tarball, also one that was there before it; so the package is packed into a folder of its own, and the tree stays as it is.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './setup/process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'package-'));
try {
  const { code, output } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]);
  if (code !== 0) throw new Error(`npm pack ended with ${code}:\n${output}`);
  const tarballs = readdirSync(folder).map((file) => join(folder, file));
  process.exitCode = (await run('attw', tarballs, { show: true })).code;
} finally {
  rmSync(folder, { recursive: true });
}
