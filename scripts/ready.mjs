/**
 * `node scripts/ready.mjs [command …]`: makes a fresh clone ready to run, then runs the command.
 *
 * Nothing is installed when this starts, so it and everything under `setup/` stand on Node's built-ins alone. What is ready
 * already is found so in milliseconds, so that every script can begin here.
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
// A bare `npm run setup` is how one asks to try again for the native kernels after they were not to be had.
await setUpNative(root, { tryAgain: command === undefined });

if (command !== undefined) {
  const PATH = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  // Without it TensorFlow greets every process with what it found out about the processor.
  const TF_CPP_MIN_LOG_LEVEL = process.env.TF_CPP_MIN_LOG_LEVEL ?? '2';
  const { code } = await run(command, args, { cwd: root, env: { PATH, TF_CPP_MIN_LOG_LEVEL }, show: true });
  process.exitCode = code;
}
