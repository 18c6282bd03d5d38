/**
 * The limits on how much is made, sent or kept at once, each with its reason. Only the numbers of rows that wait for a product are not
 * here, because speed and rounding decide them (`stream/sumOfBatches.ts`). A number takes 4 bytes on the device (float32) and 8 bytes in
 * the linear algebra on the host (float64). These limits hold for every model. Limits that depend on the model and on `memoryBudget`
 * are computed in `predictive/device/plans.ts`.
 */

/** The default of `memoryBudget` in bytes: 1 GiB. A device that holds a trained model can be expected to spare it. */
export const MEMORY_BUDGET = 2 ** 30;

/**
 * The most numbers of one tensor that is made on the way to a sum: 64 MiB. A product of this size runs at full speed on every backend,
 * and the few such tensors that are alive at once fit into a browser. A memory budget can demand smaller chunks.
 */
export const CHUNK = 2 ** 24;

/**
 * The most numbers of one chunk in which a layer's own matrices are scaled for every row or example: 32 MiB. It is smaller than `CHUNK`
 * because the matrices stay on the device beside it. On two cores, chunks of 2²¹ to 2²⁴ numbers took the same time.
 */
export const LAYER_CHUNK = 2 ** 23;

/** The most numbers of one chunk of U ⊙ U: 1 MiB. So squares add little to the memory of U, however large U is. */
export const SQUARES_CHUNK = 2 ** 18;

/**
 * The most rows that go through the network at once: examples, stacked gradients, or draws of outputs. Products are tall enough for full
 * speed long before. More rows take more memory and no less time.
 */
export const MOST_ROWS = 8192;

/** The most rows of a Kronecker factor. 8192² float64 numbers take 0.5 GiB, and their eigendecomposition takes minutes. */
export const LARGEST_FACTOR = 8192;

/** The most outputs for which a covariance [C, C] is computed. The covariance of one example is then one chunk. */
export const MOST_JOINT_OUTPUTS = Math.sqrt(CHUNK);

/** The most numbers of all covariances that one call returns on the host: 1 GiB. Larger results belong in several calls. */
export const LARGEST_RESULT = 2 ** 28;

/** `coverage` warns if the curvature sums on the host take more bytes than this: 2 GiB. A browser's page can rarely spare more. */
export const LARGE_SUMS = 2 ** 31;

/** The most matrices that one call decomposes together, one on each core. Few machines have more cores. */
export const MOST_TOGETHER = 16;

/** The most numbers of the matrices that one call decomposes together: 128 MiB on the host. */
export const NUMBERS_TOGETHER = 2 ** 24;

/** The most bytes that a WebAssembly instance keeps for its next call: 64 MiB. Its memory cannot shrink, so a larger one is dropped. */
export const KEPT_BYTES = 2 ** 26;

/**
 * The most bytes of a file that are written or read at once: 4 MiB. Disks and hashes run at full speed, and a piece is small beside any
 * layer. It is a whole number of numbers of every format.
 */
export const FILE_PIECE = 2 ** 22;
