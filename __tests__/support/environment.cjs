/**
 * Jest's Node environment with Node's own typed arrays.
 *
 * A test file runs in a realm of its own, with its own Float32Array. What a native addon, a worker or `structuredClone` makes
 * belongs to Node's realm and would fail `instanceof` in the test's, so the test gets Node's constructors.
 *
 * The backend that a project of jest.config.js stands for is told to its tests as it is told by hand: by LAPLACE_BACKEND.
 */
const { TestEnvironment } = require('jest-environment-node');

const BINARY = /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$|^(Shared)?ArrayBuffer$|^DataView$/;

module.exports = class extends TestEnvironment {
  /**
   * @param {ConstructorParameters<typeof TestEnvironment>[0]} config
   * @param {ConstructorParameters<typeof TestEnvironment>[1]} context
   */
  constructor(config, context) {
    super(config, context);
    const { backend } = config.projectConfig.testEnvironmentOptions;
    // The test's own copy of the environment.
    if (typeof backend === 'string') this.global.process.env.LAPLACE_BACKEND = backend;
  }

  /** @override */
  async setup() {
    await super.setup();
    for (const name of Object.getOwnPropertyNames(globalThis).filter((property) => BINARY.test(property))) {
      Object.defineProperty(this.global, name, { value: Reflect.get(globalThis, name), writable: true, configurable: true });
    }
  }
};
