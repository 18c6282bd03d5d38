/** Runs the cases of a kind by fast-check, which draws them from a seed and makes a finding smaller. */
import fc from 'fast-check';
import type { Cases, Finding, Kind } from './kind.js';

/** The kind of these cases. */
export const kindOf = <T>({ name, about, share, cases, check, show }: Cases<T>): Kind => ({
  name,
  about,
  share,
  run: async ({ seed, cases: numRuns, path, onCase }) => {
    const property = fc.asyncProperty(cases, async (value) => {
      onCase?.();
      await check(value);
    });
    // A path is that of one case, which is as small as it gets.
    const found = await fc.check(
      property,
      path === undefined ? { seed, numRuns } : { seed, path, numRuns: 1, endOnFailure: true },
    );
    if (!found.failed) return { cases: found.numRuns };
    return { cases: found.numRuns, finding: findingOf(found, show) };
  },
});

function findingOf<T>(
  { counterexample, counterexamplePath, errorInstance }: fc.RunDetails<[T]>,
  show: (value: T) => string,
): Finding {
  const [value] = counterexample ?? [];
  return {
    path: counterexamplePath ?? '',
    shown: value === undefined ? 'no case could be drawn' : show(value),
    error: errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance),
  };
}
