/** `inspect`: what a file of this library is. */
import { evidence, fingerprint } from 'tfjs-laplace';
import { laplaceError, textTable } from 'tfjs-laplace/extend';
import { type Kept, keptIn } from '../file.js';
import { modelAt } from '../model.js';
import { type AddCommand, examples } from './types.js';

interface Options {
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
    .action(
      does<[string], Options>(async ({ start, result }, options, where) => {
        const kept = await keptIn(where);
        const about = aboutOf(kept);
        const model = options.model === undefined ? undefined : await weightsOf(options.model, start);
        const fits = model === undefined ? undefined : model === about.fingerprint;
        result(
          () => textOf(about, fits),
          () => ({ ...about, ...(fits !== undefined && { fits }) }),
        );
        if (fits === false) throw otherModel(options.model as string, model as string, about.fingerprint);
      }),
    );
};

async function weightsOf(place: string, start: () => Promise<void>): Promise<string> {
  await start();
  return fingerprint(await modelAt(place));
}

const otherModel = (place: string, found: string, expected: string) =>
  laplaceError('Mismatch', {
    what: `The file does not belong to the model at ${place}`,
    field: 'fingerprint',
    found,
    expected,
    remedy: 'Use the weights that the curvature was summed at.',
  });

function aboutOf(kept: Kept) {
  const { kind, bytes } = kept;
  if (kept.kind === 'posterior') {
    const { fingerprint: weights, likelihood, estimator, damping, datasetSize, outputs, layers } = kept.value;
    return {
      kind,
      bytes,
      fingerprint: weights,
      likelihood: likelihood._tag,
      estimator: estimator._tag,
      damping: damping._tag,
      examples: datasetSize,
      outputs,
      logMarginalLikelihood: evidence(kept.value).logMarginalLikelihood,
      layers: layers.map(({ name, structure, groups, n, m, priorPrecision }) => ({
        name,
        structure,
        groups,
        n,
        m,
        priorPrecision,
      })),
    };
  }
  const { fingerprint: weights, layout, count, datasetSize, parts, batches } = kept.value;
  return {
    kind,
    bytes,
    fingerprint: weights,
    likelihood: layout.likelihood._tag,
    estimator: layout.estimator._tag,
    examples: datasetSize,
    count,
    batches,
    parts,
    outputs: layout.outputs,
    layers: layout.layers.map(({ name, structure, groups, n, m }) => ({ name, structure, groups, n, m })),
  };
}

function textOf(about: ReturnType<typeof aboutOf>, fits: boolean | undefined): string {
  const { layers, ...rest } = about;
  const facts = Object.entries({ ...rest, ...(fits !== undefined && { 'fits the model': fits ? 'yes' : 'no' }) })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);
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
