/**
 * Jest's Node environment with Node's own typed arrays.
 *
 * A test file runs in a realm of its own, with its own Float32Array. What a native addon, a worker or `structuredClone` makes
 * belongs to Node's realm and would fail `instanceof` in the test's, so the test gets Node's constructors.
 */
const { TestEnvironment } = require('jest-environment-node');

const BINARY = ['ArrayBuffer', 'SharedArrayBuffer', 'DataView'];
const TYPED = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'BigInt64', 'BigUint64', 'Float32', 'Float64'];

module.exports = class extends TestEnvironment {
  /** @override */
  async setup() {
    await super.setup();
    for (const name of [...BINARY, ...TYPED.map((type) => `${type}Array`)]) {
      Object.defineProperty(this.global, name, { value: Reflect.get(globalThis, name), writable: true, configurable: true });
    }
  }
};
