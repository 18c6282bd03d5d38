/** Whether the binding of tfjs-node-gpu loads and multiplies. In a process of its own: a bad binding ends the one it is loaded in. */
import { complaint, run } from '../process.mjs';

const LIMIT_MS = 60_000;
const PROGRAM = `
  const tf = require('@tensorflow/tfjs-node-gpu');
  const [x] = tf.matMul([[2]], [[3]]).dataSync();
  if (x !== 6) throw new Error('2 times 3 is ' + x);
`;

/**
 * @param {string} root
 * @returns {Promise<string | undefined>} why it does not
 */
export async function probe(root) {
  const env = { TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' };
  const { code, output } = await run(process.execPath, ['-e', PROGRAM], { cwd: root, env, limitMs: LIMIT_MS });
  return code === 0 ? undefined : `it does not load: ${complaint(output)}`;
}
