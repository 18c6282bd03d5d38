/** A number that is known up to an error. Float64 rounding comes on top of the error, which is no standard error. */
export interface Bounded {
  /** The middle of the numbers that are possible. */
  readonly value: number;
  /** The exact number lies within value ± error. 0 where the value is exact. */
  readonly error: number;
}

/** What lies between two numbers. */
export const between = (least: number, most: number): Bounded => ({
  value: (least + most) / 2,
  error: Math.max(0, most - least) / 2,
});
