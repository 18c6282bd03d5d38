/** Rules that say which folder may import which. Data flows one way, so imports do too. */

/** The folders and files of src/, from left to right. Each may import itself and those further left, but not those beside it. */
const ORDER = [
  ['types', 'turn', 'frozen', 'dual', 'limits', 'version', 'textTable'],
  ['errors'],
  ['orThrow', 'optionalPackage'],
  ['codec'],
  ['linalg', 'random'],
  ['likelihood'],
  ['network'],
  ['curvature'],
  ['posterior'],
  ['predictive', 'metrics'],
  ['tuning'],
  ['conformal'],
  ['calibration', 'abstaining', 'detection'],
  ['files'],
  ['stream'],
  ['recipe'],
  ['index', 'extend'],
];

/** Pattern for the folders of src/ with these names, and for the single files with these names. */
const inSrc = (...names) => `^src/(${names.join('|')})(/|\\.ts$)`;
const npm = (name) => `(^|/)node_modules/${name}/`;
/** An import by the name `tfjs-laplace`, which tsconfig.json resolves, and not by a path into our sources. */
const BY_NAME = ['aliased-tsconfig-paths'];

const order = ORDER.flatMap((tier, i) =>
  tier.map((name) => ({
    name: `order-${name}`,
    comment: 'A folder of src/ may import itself and folders further left.',
    from: { path: inSrc(name) },
    to: { path: '^src/', pathNot: inSrc(name, ...ORDER.slice(0, i).flat()) },
  })),
);

/**
 * The folders of src/predictive/, ordered in the same way. Some files lie beside them: the codec and prediction.ts (what a
 * prediction is) are to the left of all folders, and predictor.ts is to the right.
 */
const PREDICTIVE = [['device', 'links'], ['report'], ['sampling'], ['linearised']];
const LEFT_OF_PREDICTIVE = ['codec', 'prediction'];
const inPredictive = (...names) => `^src/predictive/(${names.join('|')})(/|\\.ts$)`;

const predictiveOrder = PREDICTIVE.flatMap((tier, i) =>
  tier.map((name) => ({
    name: `order-predictive-${name}`,
    comment: 'A folder of src/predictive/ may import itself and folders further left.',
    from: { path: inPredictive(name) },
    to: { path: '^src/predictive/', pathNot: inPredictive(name, ...LEFT_OF_PREDICTIVE, ...PREDICTIVE.slice(0, i).flat()) },
  })),
);

const rules = [
  ...order,
  ...predictiveOrder,
  {
    name: 'order-predictive-complete',
    comment: 'Every folder of src/predictive/ must have a place in the order.',
    from: { path: '^src/predictive/[^/]+/', pathNot: inPredictive(...PREDICTIVE.flat()) },
    to: {},
  },
  {
    name: 'order-complete',
    comment: 'Every folder of src/ must have a place in the order.',
    from: { path: '^src/', pathNot: inSrc(...ORDER.flat()) },
    to: {},
  },
  { name: 'no-cycles', from: { path: '^(src|plugins|recipes|bench|scripts)/' }, to: { circular: true } },
  { name: 'resolvable', from: {}, to: { couldNotResolve: true } },
  {
    name: 'src-in-src',
    comment: 'The library must not depend on what is built on it.',
    from: { path: '^src/' },
    to: { path: '^(plugins|recipes|bench|scripts|__tests__)/' },
  },
  {
    name: 'src-any-runtime',
    comment: 'The library also runs in browsers, so it must not import modules of Node.',
    from: { path: '^src/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'tfjs-parts',
    comment:
      'The package @tensorflow/tfjs brings every backend and converter. The library may import tfjs-core and tfjs-layers only.',
    from: { path: '^src/' },
    to: { path: npm('@tensorflow'), pathNot: npm('@tensorflow/(tfjs-core|tfjs-layers)') },
  },
  {
    name: 'tfjs-one-copy',
    comment: 'Import packages of tfjs by their names: a path into one loads a second copy of it, with a second engine.',
    from: {},
    to: {
      path: npm('@tensorflow/[^/]+'),
      pathNot: '\\.node\\.js$|/dist/index\\.(js|d\\.ts)$',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'rxjs-at-the-edge',
    comment: 'Only src/stream may import RxJS. Everything else is made of pure functions, from which the streams are built.',
    from: { path: '^src/', pathNot: inSrc('stream') },
    to: { path: npm('rxjs') },
  },
  {
    name: 'io-ts-in-codecs',
    comment: 'Only codecs may import io-ts, because values are decoded once, where they enter.',
    from: { path: '^(src|plugins)/', pathNot: `${inSrc('codec', 'recipe')}|/codec\\.ts$` },
    to: { path: npm('io-ts') },
  },
  {
    name: 'fp-ts-root',
    comment: "Import from 'fp-ts' itself: the path of one of its modules type-checks, but fails in Node or loads a second copy.",
    from: {},
    to: { path: npm('fp-ts'), pathNot: '/fp-ts/(lib|es6)/index\\.(js|d\\.ts)$' },
  },
  {
    name: 'declared',
    comment: 'Shipped code may import only packages that package.json declares as dependencies.',
    from: { path: '^(src|plugins)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
  },
  {
    name: 'public-surface',
    comment: 'Plugins and recipes import the library by its name, as a user of the package does.',
    from: { path: '^(plugins|recipes)/' },
    to: { path: '^src/', dependencyTypesNot: BY_NAME },
  },
  {
    name: 'plugins-by-name',
    comment: 'A plugin may import another plugin, but only by its public name.',
    from: { path: '^plugins/([^/]+)/' },
    to: { path: '^plugins/', pathNot: '^plugins/$1/', dependencyTypesNot: BY_NAME },
  },
  {
    name: 'recipes-by-name',
    from: { path: '^recipes/' },
    to: { path: '^plugins/', dependencyTypesNot: BY_NAME },
  },
  {
    name: 'recipes-are-last',
    from: { path: '^plugins/' },
    to: { path: '^(recipes|bench|scripts|__tests__)/' },
  },
];

export default {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
    // Imports of types count as imports too.
    tsPreCompilationDeps: true,
  },
};
