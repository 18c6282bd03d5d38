/** The posterior of a command, and the report beside it: the predictive, and what was fitted for each output. */
import { access } from 'node:fs/promises';
import {
  type Abstention,
  type Calibrator,
  type ConformalIntervals,
  type ConformalSets,
  decodeAbstention,
  decodeCalibrator,
  decodeConformal,
  linearised,
  orThrow,
  type Posterior,
  type Predictive,
} from 'tfjs-laplace';
import { argument, array, isRecord, laplaceError, optional, PredictiveCodec, text } from 'tfjs-laplace/extend';
import { loadPosterior } from 'tfjs-laplace/plugins/storage';
import { placeOf } from './data.js';
import { jsonIn } from './recipeFile.js';
import type { Terminal } from './terminal.js';

/** What a report says about one output. */
export interface OutputFit {
  readonly calibrator?: Calibrator;
  readonly conformal?: ConformalSets | ConformalIntervals;
  readonly abstention?: Abstention;
}

/** A posterior, and how to predict with it. */
export interface Deployed {
  readonly posterior: Posterior;
  readonly predictive: Predictive;
  /** The names of the classes, in the order of their numbers, if the labels of the run were names. */
  readonly classNames?: ReadonlyArray<string>;
  /** By the name of the output. */
  readonly outputs: ReadonlyMap<string, OutputFit>;
}

/**
 * Loads a posterior, and the `report.json` of its run if that lies in the same folder on disk. Rejects with `Storage` and `InvalidFile`.
 *
 * @param predictive a predictive that was asked for; it wins over that of the report, and what was fitted for that is left out
 */
export async function deployedAt(where: string, predictive: unknown, { remark }: Terminal): Promise<Deployed> {
  const own = predictive === undefined ? undefined : argument('predict', 'predictive', PredictiveCodec, predictive);
  const place = placeOf(where);
  const posterior = await loadPosterior(place);
  const report = await reportBeside(place);
  if (own !== undefined) {
    const { classNames } = report?.weights === posterior.fingerprint ? report : {};
    return { posterior, predictive: own, outputs: new Map(), ...(classNames && { classNames }) };
  }
  if (report === undefined) return { posterior, predictive: linearised(), outputs: new Map() };
  const { weights, ...found } = report;
  if (weights !== posterior.fingerprint) throw otherReport(weights, posterior.fingerprint);
  remark('The predictive, and what was fitted for it, are those of report.json.');
  return { posterior, ...found };
}

async function reportBeside(place: string) {
  if (!place.startsWith('file://') || place.endsWith('.safetensors')) return undefined;
  const path = `${place.slice('file://'.length).replace(/\/+$/, '')}/report.json`;
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere ? decodedReport(path, await jsonIn(path)) : undefined;
}

function decodedReport(path: string, json: unknown) {
  if (!isRecord(json) || !isRecord(json.posterior) || !Array.isArray(json.outputs)) {
    throw laplaceError('InvalidFile', { what: `${path} is no report of this library`, expected: 'the report.json of a run' });
  }
  const outputs = json.outputs.filter(isRecord).map((output) => [String(output.output), fitOf(output)] as const);
  const classNames = argument(path, 'classNames', optional(array('a list of names', text)), json.classNames);
  return {
    weights: json.posterior.fingerprint,
    ...(classNames && { classNames }),
    predictive: argument(path, 'predictive', PredictiveCodec, json.predictive),
    outputs: new Map(outputs),
  };
}

const fitOf = ({ calibrator, conformal, abstention }: Readonly<Record<string, unknown>>): OutputFit => ({
  ...(calibrator !== undefined && { calibrator: orThrow(decodeCalibrator(calibrator)) }),
  ...(conformal !== undefined && { conformal: orThrow(decodeConformal(conformal)) }),
  ...(abstention !== undefined && { abstention: orThrow(decodeAbstention(abstention)) }),
});

const otherReport = (found: unknown, expected: string) =>
  laplaceError('Mismatch', {
    what: 'The report.json beside the posterior is that of another run',
    field: 'report.json',
    found: `weights ${String(found)}`,
    expected: `weights ${expected}`,
    remedy: 'Give --predictive, and the report is left out; or run the recipe anew.',
  });
