/**
 * `node scripts/ready.mjs [tool …]`: makes a fresh clone ready to run, then runs a tool of node_modules, or `node`.
 *
 * No package may be installed yet when this starts. So this file and everything under `setup/` use only the modules of Node. If
 * all is ready already, the check takes milliseconds, so that every npm script can begin with it.
 */
import { fileURLToPath } from 'node:url';
import { installDependencies } from './setup/dependencies.mjs';
import { setUpNative } from './setup/native/index.mjs';
import { run, tool } from './setup/process.mjs';
import { quiet } from './setup/quiet.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [command, ...args] = process.argv.slice(2);

const reason = await installDependencies(root);
if (reason !== undefined) {
  console.error(reason);
  process.exit(1);
}
// `npm run setup` gives no command. It tries again to set up the native kernels, even if an earlier attempt failed.
await setUpNative(root, { tryAgain: command === undefined });

if (command !== undefined) {
  const [program, ...before] = command === 'node' ? [process.execPath] : tool(root, command);
  const { code } = await run(program, [...before, ...args], { cwd: root, env: quiet(process.env), show: true });
  process.exitCode = code;
}
