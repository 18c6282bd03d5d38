/**
 * TensorFlow's kernels read these when they load, so this is imported before a backend is chosen. Without the first they chat on
 * stderr; without the second oneDNN announces itself there too, and makes the order of float sums depend on the machine (its gain
 * is in convolutions).
 */
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';

export {};
