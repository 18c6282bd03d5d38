/** Numbers of any shape, compared in float64: what the tests of the mathematics measure with. */
import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from 'tfjs-laplace';

/** A number, a tensor, a host matrix, or rows of them. */
export type Numbers = number | tf.Tensor | Matrix | ArrayLike<Numbers>;

/**
 * Largest relative error that float32 may leave in these tiny networks: an operation is off by 2⁻²⁴ = 6e-8, sums have less than
 * 100 terms and a result has some ten operations behind it, so errors are a few 1e-7 of the largest entry. A dropped term or a wrong
 * constant is off by 1e-2 and more.
 */
export const FLOAT32 = 5e-6;

/** The same for float64 arithmetic on numbers that are exact: 2⁻⁵³ = 1e-16 an operation, times condition numbers below 1e3. */
export const FLOAT64 = 1e-12;

/** All numbers, in order. */
export function numbersOf(value: Numbers): number[] {
  if (typeof value === 'number') return [value];
  if (value instanceof tf.Tensor) return Array.from(value.dataSync());
  if ('data' in value && 'rows' in value) return Array.from(value.data);
  return Array.from(value as ArrayLike<Numbers>).flatMap(numbersOf);
}

/** max |found − expected| / max |expected|; infinite when a number is missing or NaN. */
export function relativeError(found: Numbers, expected: Numbers): number {
  const [a, b] = [numbersOf(found), numbersOf(expected)];
  if (a.length !== b.length || a.length === 0) return Number.POSITIVE_INFINITY;
  const scale = b.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  const error = a.reduce((max, v, i) => Math.max(max, Math.abs(v - (b[i] as number))), 0);
  return a.some(Number.isNaN) || Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / (scale || 1);
}

/** Rows of a flat array. */
export const inRows = (flat: ArrayLike<number>, cols: number): number[][] =>
  Array.from({ length: flat.length / cols }, (_, r) => Array.from(flat).slice(r * cols, (r + 1) * cols));
