/**
 * Sets environment variables that TensorFlow's kernels read when they load. So a recipe imports this file before it chooses a
 * backend.
 *
 * The first variable keeps TensorFlow from logging to stderr. The second switches oneDNN off, which also logs there, and with
 * which the order of float sums depends on the machine. oneDNN would speed up convolutions only.
 */
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';

export {};
