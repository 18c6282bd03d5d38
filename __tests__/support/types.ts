/** Assertions about types; `tsc` checks them. */

/** True when A and B are the same type, not only assignable to each other. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `holds<Same<A, B>>()` compiles when the claim is true. */
export const holds = <_Claim extends true>(): void => {};
