/**
 * Rules between the choices of a recipe, which no choice can know by itself: a link is for probabilities, a sharpness for numbers. Whatever
 * needs the model is checked when the recipe runs.
 */
import type { DecodeIssue } from '../errors.js';
import { type Likelihood, outcomesOf } from '../likelihood/index.js';
import { noiseVarianceOf } from '../likelihood/noiseVariance.js';
import { DEFAULT_LINK, linkRule, nameOf } from '../predictive/links/index.js';
import { suits } from '../tuning/criterion.js';
import type { Recipe } from './codec.js';
import { isIntervalScore } from './report.js';

/** What a likelihood says about the outputs of a model. */
interface Outputs {
  /** In words, for the problems. */
  readonly name: string;
  /** Whether an output has probabilities: of classes, or of independent labels. */
  readonly hasProbabilities: boolean;
  /** Whether each output is one of several classes, or yes and no. */
  readonly areClasses: boolean;
  readonly likelihood: Likelihood;
}

function outputsOf(likelihood: Likelihood): Outputs {
  const outcomes = outcomesOf(likelihood);
  const isProbability = (outcome: string): boolean => outcome === 'classes' || outcome === 'labels';
  return {
    name: likelihood._tag,
    hasProbabilities: outcomes.some(isProbability),
    areClasses: outcomes.every(isProbability),
    likelihood,
  };
}

/** What is wrong with one choice, given the likelihood. */
type Rule = (recipe: Recipe, outputs: Outputs) => DecodeIssue | undefined;

const issue = (path: string, found: string, expected: string): DecodeIssue => ({ path, found, expected });

const link: Rule = ({ predictive }, { name, hasProbabilities, likelihood }) => {
  if (predictive._tag !== 'linearised' || predictive.link === DEFAULT_LINK || hasProbabilities) return undefined;
  const isDrawn = likelihood._tag === 'custom' && linkRule(predictive.link).isDrawn;
  return isDrawn
    ? undefined
    : issue('predictive.link', `'${nameOf(predictive.link)}'`, `no link: ${name} has no probabilities of classes`);
};

const scale: Rule = ({ predictive }, { name, hasProbabilities }) =>
  predictive.scale === 1 || hasProbabilities
    ? undefined
    : issue('predictive.scale', String(predictive.scale), `no scale: ${name} has no probabilities of classes`);

const criterion: Rule = ({ tuning }, { name, likelihood }) =>
  outcomesOf(likelihood).every((outcome) => suits(tuning.criterion, outcome))
    ? undefined
    : issue('tuning.criterion', `'${String(tuning.criterion)}'`, `a criterion that suits ${name}: 'nll' or 'brier'`);

const over: Rule = ({ tuning }, { name, hasProbabilities, likelihood }) => {
  const foreign = tuning.over?.find((dimension) => {
    if (dimension === 'scale') return !hasProbabilities;
    return dimension.startsWith('noise') && noiseVarianceOf(likelihood) === undefined;
  });
  return foreign && issue('tuning.over', `'${foreign}'`, `dimensions that ${name} has`);
};

const calibration: Rule = ({ calibration: method }, { name, hasProbabilities }) =>
  method === 'none' || hasProbabilities
    ? undefined
    : issue('calibration', `'${method._tag}'`, `'none': ${name} has no probabilities of classes`);

const conformal: Rule = ({ report: { conformal: own } }, { name, hasProbabilities, areClasses }) => {
  if (own === undefined) return undefined;
  if (own.by === 'class' && !hasProbabilities) return issue('report.conformal.by', "'class'", `'all': ${name} has no classes`);
  if (own.score === undefined) return undefined;
  const suited = isIntervalScore(own.score) ? !areClasses : hasProbabilities;
  const words = isIntervalScore(own.score) ? "'lac', 'aps' or 'raps'" : "'normalised', 'absolute' or 'cqr'";
  return suited ? undefined : issue('report.conformal.score', `'${own.score._tag}'`, `a score for ${name}: ${words}`);
};

const abstention: Rule = ({ report }, { name, hasProbabilities }) =>
  report.abstention === undefined || hasProbabilities
    ? undefined
    : issue('report.abstention', 'a risk', `none: ${name} has no classes that can be wrong`);

const output: Rule = ({ output: own }) =>
  own === 'none' || !own.keep.includes('report') || (own.to.startsWith('file://') && !own.to.endsWith('.safetensors'))
    ? undefined
    : issue('output.keep', `'report' at ${JSON.stringify(own.to)}`, "a folder on disk, 'file://FOLDER', or keep: ['posterior']");

const RULES: ReadonlyArray<Rule> = [link, scale, criterion, over, calibration, conformal, abstention, output];

/** What is wrong between the choices of a recipe. */
export function problemsBetween(recipe: Recipe): ReadonlyArray<DecodeIssue> {
  const outputs = outputsOf(recipe.likelihood);
  return RULES.flatMap((rule) => rule(recipe, outputs) ?? []);
}
