/** Reads the command line. */
import { parseArgs } from 'node:util';
import { either as E } from 'fp-ts';
import type { BackendName } from 'tfjs-laplace/plugins/backends';
import type { Loudness } from 'tfjs-laplace/plugins/progress';

export const HELP = `Laplace approximation of an MNIST classifier: trains a network, builds its posterior, and tests its uncertainty.

  npm start -- [options]

  --quick            train a small network on part of the data, in about half a minute
  --pretrained DIR   load a model (model.json and its weights, as --save or TensorFlow.js writes them) instead of training
  --save DIR         save the trained model
  --out DIR          folder for the pictures; default out/mnist
  --backend NAME     node, wasm or cpu; default: the fastest that works
  --quiet            print results only
  --verbose          print every progress event, and more about the posterior
  --help             print this text
`;

export interface Options {
  readonly quick: boolean;
  readonly pretrained?: string;
  readonly save?: string;
  readonly out: string;
  readonly backend?: BackendName;
  readonly loudness: Loudness;
  readonly help: boolean;
}

/**
 * Reads the arguments.
 *
 * @param args the command line without Node and the script
 * @returns the options, or a message that says what is wrong with the arguments
 */
export function readOptions(args: ReadonlyArray<string>): E.Either<string, Options> {
  return E.chain(checked)(
    E.tryCatch(
      () => parse(args),
      (error) => firstSentence(error),
    ),
  );
}

const parse = (args: ReadonlyArray<string>) =>
  parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      pretrained: { type: 'string' },
      save: { type: 'string' },
      out: { type: 'string', default: 'out/mnist' },
      backend: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;

function checked({ quiet, verbose, backend, pretrained, save, ...rest }: ReturnType<typeof parse>): E.Either<string, Options> {
  if (quiet && verbose) return E.left('--quiet and --verbose cannot be combined');
  if (pretrained !== undefined && save !== undefined)
    return E.left('--save cannot be combined with --pretrained: no network is trained');
  if (backend !== undefined && !isBackend(backend)) return E.left(`--backend is '${backend}'; it can be node, wasm or cpu`);
  return E.right({
    ...rest,
    loudness: quiet ? 'quiet' : verbose ? 'verbose' : 'normal',
    ...(pretrained === undefined ? {} : { pretrained }),
    ...(save === undefined ? {} : { save }),
    ...(backend === undefined ? {} : { backend }),
  });
}

const isBackend = (name: string): name is BackendName => ['node', 'wasm', 'cpu'].includes(name);

/** The first sentence of Node's message. The other sentences give advice about positional arguments, which do not exist here. */
const firstSentence = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\. .*$/s, '');
