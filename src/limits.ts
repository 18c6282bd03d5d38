/**
 * Every limit on how much is made, sent or kept at once, with its reason. A number is a float32 on the device (4 bytes) and a float64 in
 * the linear algebra on the host (8 bytes). Limits that depend on a model and on `memoryBudget` are computed in
 * `predictive/device/plans.ts`; these here hold for every model.
 */

/** `memoryBudget` in bytes, unless it is given: 1 GiB, which a device that holds a trained model can be expected to spare. */
export const MEMORY_BUDGET = 2 ** 30;

/**
 * Numbers of one tensor that is made on the way to a sum: 64 MiB. A product of this size runs at full speed on every backend, and the
 * few such tensors that are alive at once fit a browser. Whoever has a memory budget goes below it.
 */
export const CHUNK = 2 ** 24;

/**
 * Numbers of one chunk of a layer's own matrices when they are scaled for every row or example: 32 MiB. It is smaller than `CHUNK`
 * because the matrices stay on the device beside it. Measured on two cores: chunks of 2²¹ to 2²⁴ numbers take the same time.
 */
export const LAYER_CHUNK = 2 ** 23;

/** Numbers of one chunk of U ⊙ U: 1 MiB, so that squaring adds little to the memory of U, however large U is. */
export const SQUARES_CHUNK = 2 ** 18;

/**
 * Rows (examples, stacked gradients or draws of outputs) that go through the network at once. Products are tall enough for full speed
 * long before; more rows take more memory and no less time.
 */
export const MOST_ROWS = 8192;

/** Rows of a Kronecker factor: 8192² float64 numbers are 0.5 GiB, and their eigendecomposition takes minutes. */
export const LARGEST_FACTOR = 8192;

/** Outputs of which one example's covariance [C, C] is made by itself: it is one chunk then. */
export const MOST_JOINT_OUTPUTS = Math.sqrt(CHUNK);

/** Numbers of all covariances that one call returns on the host: 1 GiB. More than that belongs in several calls. */
export const LARGEST_RESULT = 2 ** 28;

/** Bytes of curvature sums on the host from which on `coverage` warns: 2 GiB, more than a browser's page can be expected to spare. */
export const LARGE_SUMS = 2 ** 31;

/** Matrices that one call decomposes together, one on each core: few machines have more cores. */
export const MOST_TOGETHER = 16;

/** Numbers of the matrices that one call decomposes together: 128 MiB on the host. */
export const NUMBERS_TOGETHER = 2 ** 24;

/** Bytes that a WebAssembly instance keeps for its next call: 64 MiB. Its memory cannot shrink, so a larger instance is let go. */
export const KEPT_BYTES = 2 ** 26;
