/** A whole analysis as data: every choice that is made between a training and its predictions. */
import type * as t from 'io-ts';
import { Methods } from '../calibration/methods.js';
import { anyOf, defaulted, type Flat, type InputOf, LayerSelectionCodec, literals, struct } from '../codec/index.js';
import { CurvatureCodec, kfac } from '../curvature/codec.js';
import { LikelihoodCodec } from '../likelihood/index.js';
import { PriorCodec } from '../posterior/codec.js';
import { DampingCodec, exactDamping } from '../posterior/damping.js';
import { isotropic } from '../posterior/priors.js';
import { linearised, PredictiveCodec } from '../predictive/codec.js';
import { EpochSelectionCodec, finalEpochs } from '../stream/codec.js';
import { TuningCodec } from '../tuning/codec.js';
import { OutputCodec } from './output.js';
import { ReportCodec } from './report.js';

const Calibrations = anyOf(literals('none'), Methods, (value) => value !== 'none');

/** Decodes a recipe. The defaults are defined here and nowhere else. */
export const RecipeCodec = struct('a recipe', {
  /** What the network's outputs mean. It is the only choice without a default. */
  likelihood: LikelihoodCodec,
  /** How curvature is estimated; default `kfac()`. */
  curvature: defaulted(CurvatureCodec, kfac()),
  /** Which epochs of the training count; default `finalEpochs(1)`. */
  epochs: defaulted(EpochSelectionCodec, finalEpochs(1)),
  /** The prior on the weights; default `isotropic(1)`. */
  prior: defaulted(PriorCodec, isotropic(1)),
  /** How the prior enters the precision; default `exactDamping()`. */
  damping: defaulted(DampingCodec, exactDamping()),
  /** The layers that the posterior covers; default `'all'`. */
  layers: defaulted(LayerSelectionCodec, 'all'),
  /** How predictions are made; default `linearised()`. */
  predictive: defaulted(PredictiveCodec, linearised()),
  /** How `tune` chooses the prior on held-out data; default `{ criterion: 'nll' }`. */
  tuning: defaulted(TuningCodec, { criterion: 'nll' }),
  /** How predicted probabilities are calibrated on held-out data, after the tuning; default `'none'`. */
  calibration: defaulted(Calibrations, 'none'),
  /** What a run reports beside metrics; default `{}`. */
  report: defaulted(ReportCodec, {}),
  /** What a run leaves behind; default `'none'`. */
  output: defaulted(OutputCodec, 'none'),
});

/** A whole analysis with every choice written out. */
export type Recipe = Flat<t.TypeOf<typeof RecipeCodec>>;

/** A recipe as it may be written: choices with a default may be left out, and shorthand is allowed. */
export type RecipeInput = Flat<InputOf<typeof RecipeCodec>>;

/** Some of a recipe's choices. */
export type PartialRecipe = Partial<RecipeInput>;
