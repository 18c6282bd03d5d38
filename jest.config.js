import { fileURLToPath } from 'node:url';
import { probe } from './scripts/setup/native/probe.mjs';

// TensorFlow reads its environment when the binding loads. oneDNN is off in tests: it announces itself on stderr from every
// process and makes the order of float sums depend on the machine; its gain (convolutions train 1.7 times faster) isn't needed here.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';

/**
 * Tests that run once: they run no kernel of the backend, or they choose their own backends, or a backend changes nothing that they
 * look at. All other tests run on every backend that is there.
 */
const ONCE = [
  'abstaining/**/*',
  'browser/**/*',
  'calibration/**/*',
  'codec/**/*',
  'conformal/**/*',
  'curvature/{difference,manyClasses,merge}',
  'detection/**/*',
  'faults/{backends,disk,endurance,largeFile,memory,training}',
  'files/**/*',
  'docs/**/*',
  'fuzz/**/*',
  '{dual,errors}',
  'mistakes/**/*',
  'likelihood/codec',
  'linalg/{create,definite,matrix,nystrom,symmetricEigen,wasm}',
  'metrics/**/*',
  'plugins/{backends,command-line,data-files,distributed,plots,progress,recipes,storage,wasm-kernels,workers}/**/*',
  'plugins/optional',
  'plugins/laplace-approximation/options',
  'plugins/tfjs-callback/{deviceLost,earlyStopping,epochs,options,order,refusals,restored}',
  'posterior/{codec,errors,evidenceCurve,evidenceGradient,inverse,maximiseEvidence,maximiseNoise}',
  'predictive/{codec,credibleIntervals,design,entropy,everywhere,links,runningMean,sampling,samplingZoo,topK}',
  'python/**/*',
  'random/**/*',
  'tuning/**/*',
  'recipe/**/*',
  'recipes/**/*',
  'reference/command',
  'scripts/**/*',
  'stream/{breathe,codec,epochWindow,expectedTime,leaveOneOut*,matchConfidence,sequential,shorthand,tune*}',
  'toolchain/{checks,imports,package,workflow}',
].map((files) => `**/__tests__/${files}.test.ts`);

/**
 * Time after which a test counts as hung, in milliseconds. Only a test that never ends reaches it, however busy the machine is; so no
 * test sets a limit of its own. Jest reads the limit here at the top level: it ignores `testTimeout` inside a project.
 */
const HANG = 600_000;

/**
 * Test files run on every core. By default Jest leaves one core out, so on two cores only one file would run at a time. TensorFlow's
 * kernels use a second core only for large products, and few tests have any.
 */
const WORKERS = '100%';

const shared = {
  testEnvironment: '<rootDir>/__tests__/support/environment.cjs',
  setupFilesAfterEnv: ['<rootDir>/__tests__/support/setup.ts'],
  transform: {
    '\\.(ts|m?js)$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  // hyparquet has ES modules alone, which Jest cannot load as they are before Node 24.
  transformIgnorePatterns: ['/node_modules/(?!hyparquet/)'],
  moduleNameMapper: {
    '^tfjs-laplace$': '<rootDir>/src/index.ts',
    '^tfjs-laplace/extend$': '<rootDir>/src/extend.ts',
    '^tfjs-laplace/plugins/(.*)$': '<rootDir>/plugins/$1/index.ts',
    // Sources name their neighbours by the file that will run (`./x.js`); here the file that is written runs.
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
};

/** @param {string} backend */
const on = (backend) => ({
  ...shared,
  displayName: backend,
  testEnvironmentOptions: { backend },
  testMatch: ['**/__tests__/**/*.test.ts', ...ONCE.map((files) => `!${files}`)],
});

/** @returns {Promise<import('jest').Config>} */
export default async () => {
  const asked = process.env.LAPLACE_BACKEND;
  const why = asked ? undefined : await probe(fileURLToPath(new URL('.', import.meta.url)));
  if (why !== undefined) process.stderr.write(`The native binding is left out (${why}): tests run on WASM only.\n`);
  const backends = asked ? [asked] : why === undefined ? ['node', 'wasm'] : ['wasm'];
  return {
    testTimeout: HANG,
    maxWorkers: WORKERS,
    reporters: ['default', '<rootDir>/__tests__/support/closing-line.cjs'],
    projects: [...backends.map(on), { ...shared, displayName: 'once', testMatch: ONCE }],
  };
};
