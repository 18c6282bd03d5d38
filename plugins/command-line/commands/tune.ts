/** `tune`: the prior of a posterior, chosen on held-out examples. */
import { type Tried, tune as tuneOn } from 'tfjs-laplace';
import { argument, TuningCodec, textTable } from 'tfjs-laplace/extend';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { savePosterior, writeWhole } from 'tfjs-laplace/plugins/storage';
import { labelledFrom, placeOf, type Reading, withReading } from '../data.js';
import { jsonOf } from '../json.js';
import { deployedAt } from '../posteriorAt.js';
import { choices, each, positive, value } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Reading {
  readonly model: string;
  readonly heldOut: ReadonlyArray<string>;
  readonly criterion: string;
  readonly rule?: string;
  readonly over?: ReadonlyArray<string>;
  readonly precisions?: ReadonlyArray<number>;
  readonly predictive?: unknown;
  readonly out?: string;
}

export const tune: AddCommand = (program, does) => {
  const command = program
    .command('tune <posterior>')
    .summary('choose the prior on held-out examples')
    .description(
      'Chooses the prior precision of a posterior, and what its predictions need, on examples that the model was not trained on.',
    )
    .requiredOption('--model <place>', 'the trained model: a folder, its model.json, or a URL')
    .requiredOption('--held-out <file...>', 'examples that the model was not trained on')
    .option('--criterion <name>', 'nll, brier, ece or crps', 'nll')
    .option('--rule <name>', 'best, widest or evidence', choices('best', 'widest', 'evidence'))
    .option('--over <what...>', 'what is chosen: precision, layerPrecisions, scale, temperature, noiseVariance, noiseVariances')
    .option('--precisions <number...>', 'the precisions to try, in place of a search', each(positive))
    .option('--predictive <value>', 'a tag, or a predictive as JSON', value)
    .option('--out <folder>', 'keeps the tuned posterior there, and a report.json with the predictive');
  withReading(command)
    .addHelpText('after', examples('tune ./posterior --model ./model --held-out val-x.npy val-y.npy --out ./tuned'))
    .action(
      does<[string], Options>(async (terminal, options, where) => {
        const { start, step, result } = terminal;
        const { criterion, rule, over, precisions } = options;
        const tuning = argument('tune', 'tuning', TuningCodec, {
          criterion,
          ...(rule && { rule }),
          ...(over && { over }),
          ...(precisions && { precisions }),
        });
        const { posterior, predictive, classNames } = await deployedAt(where, options.predictive, terminal);
        await start();
        const model = await modelAt(options.model);
        const heldOut = await labelledFrom('--held-out', options.heldOut, options, model, classNames);
        const names = heldOut.classes ?? classNames;
        const found = await step('The choice of the prior', (onProgress) =>
          tuneOn(model, posterior, heldOut.batches, tuning, { predictive, onProgress }),
        );
        const { posterior: tuned, ...words } = found;
        const report = {
          format: 'tfjs-laplace report',
          posterior: { fingerprint: tuned.fingerprint },
          predictive: found.predictive,
          tuning: words,
          ...(names && { classNames: names }),
          outputs: [],
        };
        if (options.out !== undefined) {
          const place = placeOf(options.out);
          await savePosterior(tuned, place);
          await writeWhole(`${place.replace(/^file:\/\//, '').replace(/\/+$/, '')}/report.json`, `${jsonOf(report, 2)}\n`);
        }
        result(
          () => tableOf(found.candidates, [found.network.plain, found.network.fitted], found.chosen, found.verdict),
          () => report,
        );
      }),
    );
};

function tableOf(candidates: ReadonlyArray<Tried>, network: ReadonlyArray<Tried>, chosen: Tried, verdict: string): string {
  const row = (title: string, { precision, scale, temperature, noiseVariance, criterion, difference }: Tried) => [
    title,
    short(precision),
    short(scale),
    short(temperature),
    noiseVariance === undefined ? '' : [noiseVariance].flat().map(short).join(', '),
    criterion.toFixed(4),
    `${difference.value.toFixed(4)} ± ${difference.standardError.toFixed(4)}`,
  ];
  const rows = [
    ...network.map((tried, i) => row(i === 0 ? 'the network' : 'the network, fitted', tried)),
    ...candidates.map((tried) => row('', tried)),
    row('chosen', chosen),
  ];
  const head = ['', 'precision', 'scale', 'temperature', 'noise variance', 'criterion', 'less the network'];
  return `${textTable(head, rows)}\n\nAgainst the trained network: ${verdict}`;
}

const short = (number: number): string => String(Number(number.toPrecision(4)));
