/** The decisions of the native set-up, on facts that others gather. A reason why not is a string; none is success. */

/**
 * @typedef {string | undefined} WhyNot
 * @typedef {{ name: string, attempt: () => Promise<WhyNot> }} Way
 * @typedef {{ name: string, why?: undefined } | { name?: undefined, why: ReadonlyArray<string> }} Result
 * @typedef {Result & { key: string }} Remembered
 * @typedef {{ platform: string, arch: string, glibc: string | undefined, python: string | undefined, pip: boolean, compiler: string | undefined }} Host
 */

/**
 * Tries the ways to a binding in their order; the first whose binding also loads is the result.
 *
 * @param {ReadonlyArray<Way>} ways
 * @param {() => Promise<WhyNot>} probe
 * @returns {Promise<Result>}
 */
export async function firstThatLoads(ways, probe) {
  const why = [];
  for (const { name, attempt } of ways) {
    const reason = (await attempt()) ?? (await probe());
    if (reason === undefined) return { name };
    why.push(`${name}: ${reason}`);
  }
  return { why };
}

/**
 * Whether the record of an earlier set-up answers this one, so that nothing is tried.
 *
 * @param {Remembered | undefined} record
 * @param {{ key: string, bindingExists: boolean, tryAgain: boolean }} now
 */
export function isStillTrue(record, { key, bindingExists, tryAgain }) {
  if (record?.key !== key) return false;
  return record.why === undefined ? bindingExists : !tryAgain;
}

/**
 * Why TensorFlow's wheel can't be built on here.
 *
 * @param {Host} host
 * @returns {WhyNot}
 */
export function whyNoBuild({ platform, arch, glibc, python, pip, compiler }) {
  if (platform !== 'linux' || arch !== 'x64') return `only made for x86-64 Linux so far, and this is ${platform} ${arch}`;
  if (glibc === undefined || !isAtLeast(glibc, '2.27'))
    return `TensorFlow needs glibc 2.27, and this is ${glibc ?? 'another C library'}`;
  if (compiler === undefined) return 'no C++ compiler was found (Debian: g++; or name one in CXX)';
  if (python === undefined) return 'no Python was found, whose pip fetches the wheel (Debian: python3)';
  if (!pip) return `${python} has no pip, which fetches the wheel (Debian: python3-pip)`;
  return undefined;
}

/** @param {string} version @param {string} least */
const isAtLeast = (version, least) => version.localeCompare(least, undefined, { numeric: true }) >= 0;

/**
 * What lies in the cache, by the list of its files that was written last.
 *
 * @param {Readonly<{ [file: string]: number }> | undefined} listed sizes of the files that it was made of
 * @param {(file: string) => number | undefined} sizeOf
 * @returns {'absent' | 'half made' | 'ready'}
 */
export function cacheState(listed, sizeOf) {
  if (listed === undefined) return sizeOf('') === undefined ? 'absent' : 'half made';
  return Object.entries(listed).every(([file, size]) => sizeOf(file) === size) ? 'ready' : 'half made';
}

/** @param {ReadonlyArray<string>} why */
export const withoutNative = (why) => `
TensorFlow's own kernels are not to be had here. Everything goes on with WASM, which is slower: a training step of a
784-1200-1200-10 network takes 745 ms instead of 22, and convolutional networks don't train on WASM as tfjs ships it.
${why.map((reason) => `  - ${reason}`).join('\n')}
\`npm run setup\` tries again.
`;
