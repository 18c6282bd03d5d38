/** Sets up TensorFlow's own kernels for tfjs. Where that is impossible, it says so, and why. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { say } from '../report.mjs';
import { firstThatLoads, isStillTrue, withoutNative } from './decide.mjs';
import { places, TENSORFLOW } from './places.mjs';
import { probe } from './probe.mjs';
import { fromWheel, isBuilt, link, ownInstaller } from './ways.mjs';

/**
 * Sets up the native kernels. It never fails: without them everything goes on with WASM.
 *
 * @param {string} root folder of this repository
 * @param {{ tryAgain: boolean }} options `tryAgain`: whether to try again although an earlier set-up failed
 */
export async function setUpNative(root, options) {
  const asked = process.env.LAPLACE_BACKEND;
  if (asked && asked !== 'node') return;
  try {
    await find(root, options);
  } catch (error) {
    say(withoutNative([String(error)]));
  }
}

/** @param {string} root @param {{ tryAgain: boolean }} options */
async function find(root, { tryAgain }) {
  const at = places(root);
  const key = `${at.name} tfjs-node-gpu-${at.packageVersion} napi-v${at.api}`;
  const before = readRecord(at.record);
  if (isStillTrue(before, { key, bindingExists: existsSync(at.binding), tryAgain })) {
    if (before?.why) say(withoutNative(before.why));
    return;
  }
  const ways = [
    { name: 'the binding that is there already', isThere: existsSync(at.binding), attempt: async () => undefined },
    { name: 'the binding built by an earlier set-up', isThere: isBuilt(at), attempt: () => link(at) },
    { name: "the package's own installer", attempt: () => ownInstaller(at) },
    { name: `a build on TensorFlow ${TENSORFLOW.version}'s Python wheel`, attempt: () => fromWheel(at) },
  ];
  const result = await firstThatLoads(
    ways.filter(({ isThere = true }) => isThere),
    () => probe(root),
  );
  if (result.why === undefined) say(`TensorFlow's own kernels: ${result.name}.`);
  else say(withoutNative(result.why));
  mkdirSync(dirname(at.record), { recursive: true });
  writeFileSync(at.record, JSON.stringify({ key, ...result }, null, 2));
}

/** @param {string} path @returns {import('./decide.mjs').Remembered | undefined} */
function readRecord(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
