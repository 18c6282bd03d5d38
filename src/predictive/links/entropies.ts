/** Softmax and sigmoid, and entropies of their probabilities, in nats. Pure, on the host. */

/** Maps one example's outputs to probabilities. */
export type Activation = (f: Float64Array) => Float64Array;

/** softmax, stable for large outputs. */
export const softmax: Activation = (f) => {
  const max = f.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = f.map((v) => Math.exp(v - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((v) => v / sum);
};

/** sigmoid of every output. */
export const sigmoid: Activation = (f) => f.map((v) => 1 / (1 + Math.exp(-v)));

/** −Σ p log p, 0 log 0 = 0. */
export const classEntropy = (p: ArrayLike<number>): number => {
  let sum = 0;
  for (let c = 0; c < p.length; c++) sum -= plogp(p[c] as number);
  return sum;
};

/** Σ of the entropies of independent labels. */
export const labelEntropy = (p: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum -= plogp(p[k] as number) + plogp(1 - (p[k] as number));
  return sum;
};

const plogp = (p: number): number => (p > 0 ? p * Math.log(p) : 0);
