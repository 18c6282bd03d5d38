/** `inspect`: what a file of this library is. */
import { evidence, isLaplaceError, type LaplaceError, type OpenedPosterior, type Part } from 'tfjs-laplace';
import { checkModel, type MadeOf, partText, textTable } from 'tfjs-laplace/extend';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { LIKE, type Like, type Opened, withOpened } from '../file.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Like {
  readonly model?: string;
}

export const inspect: AddCommand = (program, does) => {
  program
    .command('inspect <file>')
    .summary('tell what a file is')
    .description(
      'Tells what a file of this library holds: a posterior or factors, its layers and sizes, precisions, examples, and the fingerprint of ' +
        'the weights that it belongs to. With --model it also tells whether it fits that model, and ends with 4 if it does not.',
    )
    .option('--model <place>', 'a model: a folder, its model.json, or a URL')
    .addHelpText('after', examples('inspect ./posterior', 'inspect factors.safetensors --model ./model --json'))
    .option(...LIKE)
    .action(
      does<[string], Options>(async ({ start, result }, options, where) => {
        const about = await withOpened(where, options, aboutOf);
        const misfit = options.model === undefined ? undefined : await misfitOf(options.model, about.madeOf, start);
        const fits = options.model === undefined ? undefined : misfit === undefined;
        result(
          () => textOf(about.facts, fits),
          () => ({ ...about.facts, ...(fits !== undefined && { fits }) }),
        );
        if (misfit !== undefined) throw misfit;
      }),
    );
};

/** Why a file does not belong to a model; undefined if it does. */
async function misfitOf(place: string, madeOf: MadeOf, start: () => Promise<void>): Promise<LaplaceError | undefined> {
  await start();
  const model = await modelAt(place);
  return checkModel(model, madeOf).then(
    () => undefined,
    (error: unknown) => {
      if (isLaplaceError(error) && error.kind === 'Mismatch') return error;
      throw error;
    },
  );
}

async function aboutOf({ holds, bytes }: Opened) {
  if (holds._tag === 'OpenedFactors') {
    const { fingerprint, layout, count, datasetSize, parts, batches } = holds;
    const { likelihood, estimator, architecture, outputs } = layout;
    return {
      madeOf: { fingerprint, likelihood, architecture },
      facts: {
        kind: 'factors',
        bytes,
        fingerprint,
        likelihood: likelihood._tag,
        estimator: estimator._tag,
        examples: datasetSize,
        count,
        batches,
        parts,
        outputs,
        layers: layout.layers.map(({ name, structure, groups, n, m }) => ({ name, structure, groups, n, m })),
      },
    };
  }
  const { fingerprint, likelihood, estimator, architecture, damping, datasetSize, outputs, layers } = holds;
  return {
    madeOf: { fingerprint, likelihood, architecture },
    facts: {
      kind: 'posterior',
      bytes,
      fingerprint,
      likelihood: likelihood._tag,
      estimator: estimator._tag,
      damping: damping._tag,
      examples: datasetSize,
      outputs,
      logMarginalLikelihood: await logMarginalLikelihood(holds),
      layers: layers.map(({ name, structure, groups, n, m, priorPrecision }) => ({
        ...{ name, structure, groups, n, m, priorPrecision },
      })),
    },
  };
}

/** The evidence, a layer at a time: it is a sum over layers, and log p(D | θ*). */
async function logMarginalLikelihood({ layer, whole, ...posterior }: OpenedPosterior): Promise<number> {
  let sum = posterior.logLikelihood;
  for (const l of posterior.layers.keys()) {
    const { logDetRatio, scatter } = evidence({ ...posterior, _tag: 'Posterior', layers: [await layer(l)] });
    sum -= 0.5 * (logDetRatio + scatter);
  }
  return sum;
}

function textOf(about: Awaited<ReturnType<typeof aboutOf>>['facts'], fits: boolean | undefined): string {
  const { layers, ...rest } = about;
  const facts = Object.entries({ ...rest, ...(fits !== undefined && { 'fits the model': fits ? 'yes' : 'no' }) })
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `${name}: ${name === 'parts' ? (value as ReadonlyArray<Part>).map(partText).join(', ') : String(value)}`,
    );
  const rows = layers.map((layer) => [
    layer.name,
    layer.structure,
    String(layer.groups),
    String(layer.n),
    String(layer.m),
    'priorPrecision' in layer ? String(Number(layer.priorPrecision.toPrecision(5))) : '',
  ]);
  return `${facts.join('\n')}\n\n${textTable(['layer', 'structure', 'groups', 'inputs n', 'outputs m', 'τ'], rows)}`;
}
