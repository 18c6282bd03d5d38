/** Natural mistakes with constructors, recipes and options. */
import * as lib from 'tfjs-laplace';
import { itSaysWhatToDo, type Mistake, wrong } from '../support/mistakes.js';

const { kfac, linearised } = lib;

const CONSTRUCTORS: ReadonlyArray<Mistake> = [
  ["kfac('empirical')", () => kfac(wrong('empirical')), 'InvalidOption', 'kfac', 'found "empirical"', 'an object'],
  ['kfac(null)', () => kfac(wrong(null)), 'InvalidOption', 'kfac', 'found null'],
  ["kfac({ fisher: 'exakt' })", () => kfac({ fisher: wrong('exakt') }), 'InvalidOption', 'fisher', "did you mean 'exact'?"],
  ['kfac({ fischer })', () => kfac(wrong({ fischer: 'exact' })), 'InvalidOption', "did you mean 'fisher'?"],
  ['kfac({ samples: 3 })', () => kfac(wrong({ samples: 3 })), 'InvalidOption', 'no such key'],
  ['kfac({ layers: 3 })', () => kfac({ layers: wrong(3) }), 'InvalidOption', 'layers', "'all' or 'last'"],
  ["kfac({ layers: 'frist' })", () => kfac({ layers: wrong('frist') }), 'InvalidOption', 'layers', '"frist"'],
  ['kfac({ layers: [] })', () => kfac({ layers: [] }), 'InvalidOption', 'an empty array'],
  ['kfac({ layers: [0] })', () => kfac({ layers: wrong([0]) }), 'InvalidOption', 'layers[0]', 'a layer name'],
  ["kfac({ weightSharing: 'none' })", () => kfac({ weightSharing: wrong('none') }), 'InvalidOption', 'weightSharing', "'expand'"],
  ["kfac({ unsupported: 'skip' })", () => kfac({ unsupported: wrong('skip') }), 'InvalidOption', 'unsupported'],
  ['ekfac({ basis })', () => lib.ekfac(wrong({ basis: {} })), 'InvalidOption', 'no such key'],
  ["lowRank({ rank: '5' })", () => lib.lowRank({ rank: wrong('5') }), 'InvalidOption', 'rank', 'found "5"', 'an integer'],
  ['lowRank({ rank: 0.5 })', () => lib.lowRank({ rank: 0.5 }), 'InvalidOption', 'rank', 'found 0.5'],
  ['truncated(0.1)', () => lib.truncated(wrong(0.1)), 'InvalidOption', 'truncated', 'an object'],
  ['truncated({ tolerance: 2 })', () => lib.truncated({ tolerance: 2 }), 'InvalidOption', 'tolerance', 'found 2'],
  ['monteCarlo(5)', () => lib.monteCarlo(wrong(5)), 'InvalidOption', 'monteCarlo', 'an object'],
  ['monteCarlo({ samples: -1 })', () => lib.monteCarlo({ samples: -1 }), 'InvalidOption', 'samples', 'an integer >= 1'],
  ['monteCarlo({ draws: 2 })', () => lib.monteCarlo(wrong({ draws: 2 })), 'InvalidOption', 'no such key'],
  ['categorical(10)', () => lib.categorical(wrong(10)), 'InvalidOption', 'categorical', 'an object'],
  ['categorical({ classes: 10 })', () => lib.categorical(wrong({ classes: 10 })), 'InvalidOption', 'no such key'],
  ['categorical({ labelSmoothing: 1 })', () => lib.categorical({ labelSmoothing: 1 }), 'InvalidOption', 'labelSmoothing', '< 1'],
  ['gaussian(0.1)', () => lib.gaussian(wrong(0.1)), 'InvalidOption', 'gaussian', 'an object'],
  ['gaussian({ variance: 1 })', () => lib.gaussian(wrong({ variance: 1 })), 'InvalidOption', "did you mean 'noiseVariance'?"],
  ['gaussian({ noiseVariance: 0 })', () => lib.gaussian({ noiseVariance: 0 }), 'InvalidOption', 'noiseVariance', '> 0'],
  ['gaussian({ noiseVariance: NaN })', () => lib.gaussian({ noiseVariance: Number.NaN }), 'InvalidOption', 'NaN'],
  ['isotropic(0)', () => lib.isotropic(0), 'InvalidOption', 'precision', 'found 0'],
  ["isotropic('10')", () => lib.isotropic(wrong('10')), 'InvalidOption', 'precision', 'found "10"'],
  [
    'isotropic({ precision: 10 })',
    () => lib.isotropic(wrong({ precision: 10 })),
    'InvalidOption',
    'precision',
    'a finite number',
  ],
  ['perLayer(5)', () => lib.perLayer(wrong(5)), 'InvalidOption', 'an object with a precision for each layer'],
  ['perLayer([1, 2])', () => lib.perLayer(wrong([1, 2])), 'InvalidOption', 'an array of length 2'],
  ['perLayer({ a: -1 })', () => lib.perLayer({ a: -1 }), 'InvalidOption', 'precisions.a', 'found -1'],
  ["perOutput('categorical')", () => lib.perOutput(wrong('categorical')), 'InvalidOption', 'found "categorical"'],
  ["perOutput({ a: 'none' })", () => lib.perOutput(wrong({ a: 'none' })), 'InvalidOption', 'a', '"none"'],
  ["perStep('none')", () => lib.perStep(wrong('none')), 'InvalidOption', 'each', '"none"'],
  ['linearised(20)', () => linearised(wrong(20)), 'InvalidOption', 'linearised', 'an object'],
  ['linearised({ samples: 3 })', () => linearised({ samples: 3 }), 'InvalidOption', 'samples', 'an even integer'],
  ["linearised({ link: 'softmax' })", () => linearised({ link: wrong('softmax') }), 'InvalidOption', 'link', "'probit'"],
  ['linearised({ temprature: 1 })', () => linearised(wrong({ temprature: 1 })), 'InvalidOption', "did you mean 'temperature'?"],
  ['linearised({ temperature: -1 })', () => linearised({ temperature: -1 }), 'InvalidOption', 'temperature', '>= 0'],
  ['weightSampling(20)', () => lib.weightSampling(wrong(20)), 'InvalidOption', 'an object'],
  ["weightSampling({ design: 'sobol' })", () => lib.weightSampling({ design: wrong('sobol') }), 'InvalidOption', "'quasiRandom'"],
  ['activationSampling({ seed: -1 })', () => lib.activationSampling({ seed: -1 }), 'InvalidOption', 'seed'],
  ['activationSampling({ n: 3 })', () => lib.activationSampling(wrong({ n: 3 })), 'InvalidOption', 'no such key', 'samples'],
  ["finalEpochs('3')", () => lib.finalEpochs(wrong('3')), 'InvalidOption', 'count', 'found "3"'],
  ['finalEpochs({ count: 2 })', () => lib.finalEpochs(wrong({ count: 2 })), 'InvalidOption', 'count'],
  ['epochsWhere(3)', () => lib.epochsWhere(wrong(3)), 'InvalidOption', 'predicate', 'a function (epoch) => boolean'],
  ['customLikelihood({})', () => lib.customLikelihood(wrong({})), 'InvalidOption', 'customLikelihood', 'name'],
  ['customFisher(() => rows)', () => lib.customFisher(wrong(() => 1)), 'InvalidOption', 'an object'],
  ["customLink({ name: 'mine' })", () => lib.customLink(wrong({ name: 'mine' })), 'InvalidOption', 'customLink'],
];

const RECIPES: ReadonlyArray<Mistake> = [
  ['recipe()', () => lib.recipe(wrong(undefined)), 'InvalidRecipe', 'recipe', 'nothing'],
  ['recipe({})', () => lib.recipe(wrong({})), 'InvalidRecipe', 'likelihood', 'nothing'],
  [
    "recipe({ likelihood: 'catagorical' })",
    () => lib.recipe({ likelihood: wrong('catagorical') }),
    'InvalidRecipe',
    "did you mean 'categorical'?",
  ],
  [
    'recipe({ …, priorPrecision: 1 })',
    () => lib.recipe(wrong({ likelihood: 'poisson', priorPrecision: 1 })),
    'InvalidRecipe',
    'priorPrecision',
    'no such key',
  ],
  ['recipe({ …, samples: 5 })', () => lib.recipe(wrong({ likelihood: 'poisson', samples: 5 })), 'InvalidRecipe', 'it belongs in'],
  ['recipe({ …, prior: -1 })', () => lib.recipe({ likelihood: 'poisson', prior: -1 }), 'InvalidRecipe', 'prior', 'found -1'],
  ['decodeRecipe(5)', () => lib.decodeRecipe(5), 'InvalidRecipe', 'recipe', 'found 5'],
  [
    'encodeRecipe of a function',
    () => lib.encodeRecipe(lib.recipe({ likelihood: 'poisson', epochs: lib.epochsWhere(() => true) })),
    'InvalidRecipe',
    'epochs.predicate',
  ],
];

describe('constructors', () => itSaysWhatToDo(CONSTRUCTORS));
describe('recipes', () => itSaysWhatToDo(RECIPES));
