/**
 * What is known of some inputs: predictions, outputs before the link, features. A score reads one of them. Batches in a list are joined in
 * their order.
 */
import { either as E, function as F } from 'fp-ts';
import { anything, decode, type Kind, ofKind, optional, struct, tagged } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { checkRows, type NumberRows, type Problem, problemOf, sound } from '../metrics/rows.js';
import type { Prediction } from '../predictive/prediction.js';

/** What scores read of a classification. A trained network alone has `probabilities`. */
export interface DetectionPrediction {
  readonly _tag: 'classification';
  /** [B][C], or [B][1]: the probability of class 1. */
  readonly probabilities: NumberRows;
  /** [B], nats. If it is missing, it is computed from the probabilities. */
  readonly entropy?: ArrayLike<number>;
  /** [B], nats. */
  readonly expectedEntropy?: ArrayLike<number>;
  /** [B], nats. */
  readonly mutualInformation?: ArrayLike<number>;
}

/** What scores read of the outputs before the link. A trained network alone has `mean`: its logits. */
export interface DetectionOutputs {
  /** [B][C]. For classes these are logits. */
  readonly mean: NumberRows;
  /** [B][C·C]: the covariance matrix of each example, row by row. */
  readonly covariance?: NumberRows;
}

/** What is known of B inputs. Each score says which field it reads. */
export interface DetectionInputs {
  /** What `predict` gives for a classifier, or a list of it: the batches in their order. Another prediction is `InvalidInput`. */
  readonly prediction?: DetectionPrediction | Prediction | ReadonlyArray<DetectionPrediction | Prediction>;
  /** What `outputDistribution` gives, or a list of it. */
  readonly outputs?: DetectionOutputs | ReadonlyArray<DetectionOutputs>;
  /** Rows [B][D] that `features` gives. Join those of several batches: `rows.flat()`. */
  readonly features?: NumberRows;
}

/** The same with all batches joined. A field is there if every batch has it. */
export interface Known {
  readonly prediction?: Omit<DetectionPrediction, '_tag'>;
  readonly outputs?: DetectionOutputs;
  readonly features?: NumberRows;
}

const Inputs = struct('an object with prediction, outputs or features', {
  prediction: optional(anything),
  outputs: optional(anything),
  features: optional(anything),
});

const PREDICTION: Kind<DetectionPrediction> = {
  name: 'a classification',
  is: tagged<DetectionPrediction>('classification', 'probabilities'),
  remedies: [
    { is: tagged('regression'), remedy: "For a regression give outputs, and take the score 'outputVariance'." },
    { is: tagged('several'), remedy: 'Its field outputs has a prediction for each output: take them one by one.' },
  ],
};

const OUTPUTS: Kind<DetectionOutputs> = {
  name: 'outputs with a mean',
  is: (value): value is DetectionOutputs => typeof value === 'object' && value !== null && 'mean' in value && !('_tag' in value),
  remedies: [
    { is: Array.isArray, remedy: 'Logits alone are { mean: logits }.' },
    { is: tagged('regression'), remedy: 'await outputDistribution(model, posterior, x) gives the outputs.' },
  ],
};

/** Checks what is given, and joins its batches. */
export const knownOf = (field: string, given: unknown): E.Either<LaplaceError, Known> =>
  F.pipe(
    decode(Inputs, given, field, 'InvalidInput'),
    E.bindTo('own'),
    E.bind('prediction', ({ own }) => joined(own.prediction, `${field}.prediction`, PREDICTION, predictionOf)),
    E.bind('outputs', ({ own }) => joined(own.outputs, `${field}.outputs`, OUTPUTS, outputsOf)),
    E.bind('features', ({ own }) =>
      own.features === undefined
        ? E.right(undefined)
        : sound(checkRows(own.features as NumberRows, `${field}.features`), () => own.features as NumberRows),
    ),
    E.map(
      ({ prediction, outputs, features }): Known => ({
        ...(prediction && { prediction }),
        ...(outputs && { outputs }),
        ...(features && { features }),
      }),
    ),
    E.chain((known) => sound(checkSizes(known, field), () => known)),
  );

/** The number of inputs that each field tells of. */
const sizes = ({ prediction, outputs, features }: Known): ReadonlyArray<readonly [field: string, count: number]> => [
  ...Object.entries(prediction ?? {}).map(([name, values]) => [`prediction.${name}`, values.length] as const),
  ...Object.entries(outputs ?? {}).map(([name, values]) => [`outputs.${name}`, values.length] as const),
  ...(features === undefined ? [] : [['features', features.length] as const]),
];

function checkSizes(known: Known, field: string): Problem {
  const [[first, B] = ['', 0], ...others] = sizes(known);
  const odd = others.find(([, count]) => count !== B);
  return odd && problemOf(`${field}.${odd[0]}`, `${odd[1]} rows`, `${B}, as ${field}.${first} has`);
}

function joined<A, B>(
  given: unknown,
  field: string,
  kind: Kind<A>,
  join: (batches: ReadonlyArray<A>) => B,
): E.Either<LaplaceError, B | undefined> {
  if (given === undefined) return E.right(undefined);
  const list: ReadonlyArray<unknown> = Array.isArray(given) && given.length > 0 ? given : [given];
  return F.pipe(
    list,
    E.traverseArray((batch) => ofKind(field, kind, batch)),
    E.map(join),
  );
}

const predictionOf = (batches: ReadonlyArray<DetectionPrediction>): Omit<DetectionPrediction, '_tag'> => ({
  probabilities: batches.flatMap(({ probabilities }) => probabilities),
  ...whole(batches, 'entropy'),
  ...whole(batches, 'expectedEntropy'),
  ...whole(batches, 'mutualInformation'),
});

type PerExample = 'entropy' | 'expectedEntropy' | 'mutualInformation';

/** A field of all batches, if they all have it. */
function whole(batches: ReadonlyArray<DetectionPrediction>, name: PerExample): Partial<Record<PerExample, ArrayLike<number>>> {
  const parts = batches.map((batch) => batch[name]);
  return parts.includes(undefined) ? {} : { [name]: parts.flatMap((part) => Array.from(part ?? [])) };
}

function outputsOf(batches: ReadonlyArray<DetectionOutputs>): DetectionOutputs {
  const mean = batches.flatMap((batch) => batch.mean);
  const covariances = batches.map(({ covariance }) => covariance);
  return covariances.includes(undefined) ? { mean } : { mean, covariance: covariances.flatMap((own) => own as NumberRows) };
}
