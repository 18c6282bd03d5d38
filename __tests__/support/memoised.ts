/** Makers of what several tests of a file share. */

/** A function that is run once for each argument. */
export function memoised<A, R>(make: (argument: A) => R): (argument: A) => R {
  const made = new Map<A, R>();
  return (argument) => {
    if (!made.has(argument)) made.set(argument, make(argument));
    return made.get(argument) as R;
  };
}
