/**
 * Has `attw` check the types of the package as it is packed. `attw --pack` packs into the working directory and then deletes the
 * tarball, also one that was there before it; so the package is packed into a folder of its own, and the tree stays as it is.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runNpm, tool } from './setup/process.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'package-'));
try {
  const { code, output } = await runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  if (code !== 0) throw new Error(`npm pack ended with ${code}:\n${output}`);
  const tarballs = readdirSync(folder).map((file) => join(folder, file));
  const [program, ...args] = tool(root, 'attw', '@arethetypeswrong/cli');
  process.exitCode = (await run(program, [...args, ...tarballs], { show: true })).code;
} finally {
  rmSync(folder, { recursive: true });
}
