/** `predict`: predictions under a posterior, one line for each row. */
import { from, lastValueFrom, tap } from 'rxjs';
import { type Prediction, predict as predictUnder } from 'tfjs-laplace';
import { textTable } from 'tfjs-laplace/extend';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { inputsFrom, type Reading, withReading } from '../data.js';
import { deployedAt } from '../posteriorAt.js';
import { cellsOf, type Line, linesOf } from '../predictionLines.js';
import { value } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Reading {
  readonly model: string;
  readonly data: ReadonlyArray<string>;
  readonly predictive?: unknown;
}

export const predict: AddCommand = (program, does) => {
  const command = program
    .command('predict <posterior>')
    .summary('predict with uncertainty')
    .description(
      'Predicts the inputs of files under a posterior. If the folder of the posterior has the report.json of its run, the predictive, the ' +
        'calibration and the thresholds are those of the run. With --json each row is a line of its own.',
    )
    .requiredOption('--model <place>', 'the trained model: a folder, its model.json, or a URL')
    .requiredOption('--data <file...>', 'inputs; labels that are there too are left out')
    .option('--predictive <value>', 'a tag, or a predictive as JSON', value);
  withReading(command)
    .addHelpText(
      'after',
      examples(
        'predict ./posterior --model ./model --data images.idx --divide 255',
        'predict ./posterior --model ./model --data new.csv --json > predictions.jsonl',
        `predict ./posterior --model ./model --data new.csv --predictive '{"_tag":"weightSampling","samples":50}'`,
      ),
    )
    .action(
      does<[string], Options>(async (terminal, options, where) => {
        const { start, step, result, asJson } = terminal;
        const deployed = await deployedAt(where, options.predictive, terminal);
        const { posterior, predictive } = deployed;
        await start();
        const model = await modelAt(options.model);
        const inputs = await inputsFrom(options.data, options);
        const lines: Line[] = [];
        let row = 0;
        const take = (prediction: Prediction): void => {
          const own = linesOf(prediction, deployed, row, model.outputNames[0] as string);
          row = (own.at(-1)?.row ?? row - 1) + 1;
          if (asJson) for (const line of own) result(String, () => line);
          else lines.push(...own);
        };
        await step('The predictions', (onProgress) =>
          lastValueFrom(
            from(inputs).pipe(predictUnder(model, posterior, predictive, { onProgress, total: inputs.length }), tap(take)),
          ),
        );
        if (asJson) return;
        const cells = lines.map(cellsOf);
        const head = [...new Set(cells.flatMap((own) => [...own.keys()]))];
        result(
          () =>
            textTable(
              head,
              cells.map((own) => head.map((title) => own.get(title) ?? '')),
            ),
          () => lines,
        );
      }),
    );
};
