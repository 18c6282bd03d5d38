/**
 * The decisions of the native set-up. The functions are given the facts, so that tests need no machine for each case. A failure
 * is told as a string, and success as undefined.
 */

/**
 * @typedef {string | undefined} WhyNot
 * @typedef {{ name: string, attempt: () => Promise<WhyNot> }} Way
 * @typedef {{ name: string, why?: undefined } | { name?: undefined, why: ReadonlyArray<string> }} Result
 * @typedef {Result & { key: string }} Remembered
 * @typedef {{ platform: string, arch: string, glibc: string | undefined, python: string | undefined, pip: boolean, compiler: string | undefined }} Host
 */

/**
 * Tries ways to get a binding, in order, until one gives a binding that loads.
 *
 * @param {ReadonlyArray<Way>} ways
 * @param {() => Promise<WhyNot>} probe checks whether the binding loads
 * @returns {Promise<Result>} the name of the way that worked, or why each way failed
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
 * Whether the result of an earlier set-up still holds, so that nothing has to be tried.
 *
 * @param {Remembered | undefined} record the result of the last set-up, if there was one
 * @param {{ key: string, bindingExists: boolean, tryAgain: boolean }} now
 */
export function isStillTrue(record, { key, bindingExists, tryAgain }) {
  if (record?.key !== key) return false;
  return record.why === undefined ? bindingExists : !tryAgain;
}

/**
 * Tells why this machine cannot build the binding on TensorFlow's Python wheel.
 *
 * @param {Host} host facts about the machine
 * @returns {WhyNot}
 */
export function whyNoBuild({ platform, arch, glibc, python, pip, compiler }) {
  if (platform !== 'linux' || arch !== 'x64') return `this way works on x86-64 Linux only, and this is ${platform} ${arch}`;
  if (glibc === undefined || !isAtLeast(glibc, '2.27'))
    return `TensorFlow needs glibc 2.27, and this is ${glibc ?? 'another C library'}`;
  if (compiler === undefined) return 'no C++ compiler was found (Debian: g++; or name one in CXX)';
  if (python === undefined) return 'no Python was found; its pip downloads the wheel (Debian: python3)';
  if (!pip) return `${python} has no pip, which downloads the wheel (Debian: python3-pip)`;
  return undefined;
}

/** @param {string} version @param {string} least */
const isAtLeast = (version, least) => version.localeCompare(least, undefined, { numeric: true }) >= 0;

/**
 * The state of a cache folder. The list of its files is written after all other files, so that a folder without it is half made.
 *
 * @param {Readonly<{ [file: string]: number }> | undefined} listed the size of each file in bytes, from that list if there is one
 * @param {(file: string) => number | undefined} sizeOf size of a file of the folder in bytes; undefined if there is no such file
 * @returns {'absent' | 'half made' | 'ready'}
 */
export function cacheState(listed, sizeOf) {
  if (listed === undefined) return sizeOf('') === undefined ? 'absent' : 'half made';
  return Object.entries(listed).every(([file, size]) => sizeOf(file) === size) ? 'ready' : 'half made';
}

/** What WASM costs: the sentence of plugins/backends/choose.ts, which cannot be imported before the packages are there. */
const COST =
  'Matrix products take about 5 times as long, training steps of dense layers about 5 times, and a large eigendecomposition twice.';

/**
 * What the user is told when no way worked.
 *
 * @param {ReadonlyArray<string>} why why each way failed
 */
export const withoutNative = (why) => `
TensorFlow's own kernels are not available here. Everything goes on with WASM, and with kernels that complete it for training.
${COST}
${why.map((reason) => `  - ${reason}`).join('\n')}
\`npm run setup\` tries again.
`;
