/**
 * `node scripts/ready.mjs [command …]`: makes a fresh clone ready to run, then runs the command.
 *
 * No package may be installed yet when this starts. So this file and everything under `setup/` use only the modules of Node. If
 * all is ready already, the check takes milliseconds, so that every npm script can begin with it.
 */
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './setup/dependencies.mjs';
import { setUpNative } from './setup/native/index.mjs';
import { run } from './setup/process.mjs';

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
  const PATH = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  // Without it TensorFlow logs what it knows about the processor in every process.
  const TF_CPP_MIN_LOG_LEVEL = process.env.TF_CPP_MIN_LOG_LEVEL ?? '2';
  const { code } = await run(command, args, { cwd: root, env: { PATH, TF_CPP_MIN_LOG_LEVEL }, show: true });
  process.exitCode = code;
}
