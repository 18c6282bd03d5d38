/** The data module of the recipe: ranges of MNIST's training digits. Every process loads it, and reads the files once. */
import type { OpenRange } from 'tfjs-laplace/plugins/distributed';
import { trainingSet } from '../mnist/data.js';
import { slice, tensors } from '../mnist/digits.js';

let digits: ReturnType<typeof trainingSet> | undefined;

export const open: OpenRange = ({ first, end }) => {
  digits ??= trainingSet();
  const own = slice(digits, first, end);
  return tensors(
    own,
    Array.from({ length: own.count }, (_, i) => i),
  );
};
