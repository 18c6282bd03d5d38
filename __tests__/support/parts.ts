/** A layout of one weight, for tests that are about parts and not about sums. */
import { categorical, type Layout } from 'tfjs-laplace';

export const LAYOUT: Layout = {
  estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
  likelihood: categorical(),
  layers: [{ name: 'a', structure: 'kronecker', members: ['a'], groups: 1, n: 1, m: 1, bias: false }],
  covered: ['a'],
  outputs: 1,
};
