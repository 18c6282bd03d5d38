// TensorFlow reads its environment when the binding loads. oneDNN is off in tests: it announces itself on stderr from every
// process and makes the order of float sums depend on the machine; its gain (convolutions train 1.7 times faster) isn't needed here.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  testEnvironment: '<rootDir>/__tests__/support/environment.cjs',
  setupFilesAfterEnv: ['<rootDir>/__tests__/support/setup.ts'],
  reporters: ['default', '<rootDir>/__tests__/support/closing-line.cjs'],
  transform: {
    '\\.(ts|m?js)$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  moduleNameMapper: {
    '^tfjs-laplace$': '<rootDir>/src/index.ts',
    '^tfjs-laplace/plugins/(.*)$': '<rootDir>/plugins/$1/index.ts',
    // Sources name their neighbours by the file that will run (`./x.js`); here the file that is written runs.
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
};
