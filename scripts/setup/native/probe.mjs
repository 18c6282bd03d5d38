/**
 * Checks whether the binding of tfjs-node-gpu loads and multiplies. The check runs in a separate process, because a bad binding
 * ends the process that loads it.
 */
import { complaint, run } from '../process.mjs';

const LIMIT_MS = 60_000;
// No TypeScript runs yet, so that this is a copy of one line of plugins/backends/removed.ts.
const PROGRAM = `
  require('util').isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require('@tensorflow/tfjs-node-gpu');
  const [x] = tf.matMul([[2]], [[3]]).dataSync();
  if (x !== 6) throw new Error('its product of 2 and 3 is ' + x);
`;

/**
 * Checks the binding.
 *
 * @param {string} root folder of this repository
 * @returns {Promise<string | undefined>} why the binding does not work, or undefined
 */
export async function probe(root) {
  const env = { TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' };
  const { code, output } = await run(process.execPath, ['-e', PROGRAM], { cwd: root, env, limitMs: LIMIT_MS });
  return code === 0 ? undefined : `it does not load: ${complaint(output)}`;
}
