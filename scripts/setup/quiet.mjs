/** Environment of a tool, in which TensorFlow and its package for Node print no warnings that nobody here can act on. */

/**
 * Deprecations that TensorFlow's package causes from Node 22 on: of `util.isArray` and `util.isNullOrUndefined`. Where Node has
 * removed a function, plugins/backends defines it.
 */
const DEPRECATIONS = ['DEP0044', 'DEP0051'];

/**
 * @param {Record<string, string | undefined>} env
 * @param {ReadonlySet<string>} [flags] what this version of Node allows in NODE_OPTIONS
 * @returns {Record<string, string>} the variables to add
 */
export function quiet(env, flags = process.allowedNodeEnvironmentFlags) {
  // Without it TensorFlow logs what it knows about the processor in every process.
  const TF_CPP_MIN_LOG_LEVEL = env.TF_CPP_MIN_LOG_LEVEL ?? '2';
  if (!flags.has('--disable-warning')) return { TF_CPP_MIN_LOG_LEVEL };
  const disabled = DEPRECATIONS.map((code) => `--disable-warning=${code}`);
  return { TF_CPP_MIN_LOG_LEVEL, NODE_OPTIONS: [env.NODE_OPTIONS, ...disabled].filter(Boolean).join(' ') };
}
