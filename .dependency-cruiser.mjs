/** Who may import whom: data flows one way, so imports do too. */

/** The folders of src/, from left to right: each imports itself and what is further left. */
const ORDER = [
  ['types', 'turn', 'limits'],
  ['errors'],
  ['codec'],
  ['linalg', 'random'],
  ['likelihood'],
  ['network'],
  ['curvature'],
  ['posterior'],
  ['predictive', 'metrics'],
  ['stream'],
  ['recipe'],
  ['index'],
];

/** Those folders, or single files of that name. */
const inSrc = (...names) => `^src/(${names.join('|')})(/|\\.ts$)`;
const npm = (name) => `(^|/)node_modules/${name}/`;
/** A name that tsconfig.json resolves, `tfjs-laplace`, in place of a path into our sources. */
const BY_NAME = ['aliased-tsconfig-paths'];

const order = ORDER.flatMap((tier, i) =>
  tier.map((name) => ({
    name: `order-${name}`,
    comment: 'A folder of src/ imports itself and folders further left.',
    from: { path: inSrc(name) },
    to: { path: '^src/', pathNot: inSrc(name, ...ORDER.slice(0, i).flat()) },
  })),
);

/** The folders of src/predictive/, in the same way; the files beside them are on the left (what a prediction is) or on the right. */
const PREDICTIVE = [['device', 'links'], ['report'], ['sampling'], ['linearised']];
const LEFT_OF_PREDICTIVE = ['codec', 'prediction'];
const inPredictive = (...names) => `^src/predictive/(${names.join('|')})(/|\\.ts$)`;

const predictiveOrder = PREDICTIVE.flatMap((tier, i) =>
  tier.map((name) => ({
    name: `order-predictive-${name}`,
    comment: 'A folder of src/predictive/ imports itself and folders further left.',
    from: { path: inPredictive(name) },
    to: { path: '^src/predictive/', pathNot: inPredictive(name, ...LEFT_OF_PREDICTIVE, ...PREDICTIVE.slice(0, i).flat()) },
  })),
);

const rules = [
  ...order,
  ...predictiveOrder,
  {
    name: 'order-predictive-complete',
    comment: 'Every folder of src/predictive/ has its place in the order.',
    from: { path: '^src/predictive/[^/]+/', pathNot: inPredictive(...PREDICTIVE.flat()) },
    to: {},
  },
  {
    name: 'order-complete',
    comment: 'Every folder of src/ has its place in the order.',
    from: { path: '^src/', pathNot: inSrc(...ORDER.flat()) },
    to: {},
  },
  { name: 'no-cycles', from: { path: '^(src|plugins|recipes|bench|scripts)/' }, to: { circular: true } },
  { name: 'resolvable', from: {}, to: { couldNotResolve: true } },
  {
    name: 'src-in-src',
    comment: 'The library knows nothing of what is built on it.',
    from: { path: '^src/' },
    to: { path: '^(plugins|recipes|bench|scripts|__tests__)/' },
  },
  {
    name: 'src-any-runtime',
    comment: 'The library runs in browsers too.',
    from: { path: '^src/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'tfjs-parts',
    comment: 'The union package brings every backend and converter; the library needs two parts of it.',
    from: { path: '^src/' },
    to: { path: npm('@tensorflow'), pathNot: npm('@tensorflow/(tfjs-core|tfjs-layers)') },
  },
  {
    name: 'tfjs-one-copy',
    comment: 'A path into a package of tfjs loads a second copy of it, with an engine of its own.',
    from: {},
    to: {
      path: npm('@tensorflow/[^/]+'),
      pathNot: '\\.node\\.js$|/dist/index\\.(js|d\\.ts)$',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'rxjs-at-the-edge',
    comment: 'What a stream is made of is a pure function first.',
    from: { path: '^src/', pathNot: inSrc('stream') },
    to: { path: npm('rxjs') },
  },
  {
    name: 'io-ts-in-codecs',
    comment: 'Values are decoded once, where they come in.',
    from: { path: '^(src|plugins)/', pathNot: `${inSrc('codec', 'recipe')}|/codec\\.ts$` },
    to: { path: npm('io-ts') },
  },
  {
    name: 'fp-ts-root',
    comment: "fp-ts has no exports map: a module's own path type-checks and then fails in Node, or is a second copy.",
    from: {},
    to: { path: npm('fp-ts'), pathNot: '/fp-ts/(lib|es6)/index\\.(js|d\\.ts)$' },
  },
  {
    name: 'declared',
    comment: 'What is shipped imports what is declared to those who install it.',
    from: { path: '^(src|plugins)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
  },
  {
    name: 'public-surface',
    comment: 'Plugins and recipes stand where a user of the package stands: on its name.',
    from: { path: '^(plugins|recipes)/' },
    to: { path: '^src/', dependencyTypesNot: BY_NAME },
  },
  {
    name: 'plugins-by-name',
    comment: 'A plugin may be built on another, by its name in the package.',
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
    // Type imports count: what a folder's types lean on, it leans on.
    tsPreCompilationDeps: true,
  },
};
