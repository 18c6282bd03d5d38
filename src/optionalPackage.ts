/** Loads a package that a plugin needs and that the user may not have installed. */
import { laplaceError } from './errors.js';

/**
 * Loads an optional package, or says what to install.
 *
 * @param feature what needs the package, as the subject of a sentence: `A PNG picture`
 * @param name the package
 * @param load imports the package
 * @param install what to install: the package, and what else the feature needs
 * @returns what `load` resolves with. Rejects with `Backend` when the package is missing or does not load.
 *
 * @example
 * ```ts
 * import { optionalPackage } from 'tfjs-laplace/extend';
 *
 * const { of } = await optionalPackage('This example', 'rxjs', () => import('rxjs'));
 * typeof of; // => 'function'
 * ```
 */
export async function optionalPackage<A>(
  feature: string,
  name: string,
  load: () => Promise<A>,
  install: string = name,
): Promise<A> {
  try {
    return await load();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    // The quotes tell the package from one that it needs itself and whose name only begins in the same way.
    const missing = /^Cannot find (package|module)/.test(why) && why.includes(`'${name}'`);
    throw laplaceError('Backend', {
      what: `${feature} needs the package ${name}, which ${missing ? 'is not installed' : 'does not load'}`,
      ...(missing ? {} : { found: why.split('\n')[0] ?? '' }),
      remedy: `npm install ${install}`,
      cause,
    });
  }
}
