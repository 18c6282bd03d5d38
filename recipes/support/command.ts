/** What the command lines of recipes share: the options that all have, and how a command ends. */
import { either as E } from 'fp-ts';
import type { BackendName } from 'tfjs-laplace/plugins/backends';
import type { Loudness } from 'tfjs-laplace/plugins/progress';

/** The options that all commands have, after they were checked. */
export interface CommonOptions {
  readonly quick: boolean;
  /** Folder of what the recipe writes. */
  readonly out: string;
  readonly backend?: BackendName;
  readonly loudness: Loudness;
  readonly help: boolean;
}

/** The same options for `parseArgs` of Node. */
export const commonOptions = (out: string) =>
  ({
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: out },
    backend: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  }) as const;

/** What `parseArgs` gives for the options that all commands have. */
interface Parsed {
  readonly quick: boolean;
  readonly out: string;
  readonly backend?: string | undefined;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

/** What `parse` returns, or what is wrong with the arguments if it throws. */
export const parsed = <A>(parse: () => A): E.Either<string, A> => E.tryCatch(parse, firstSentence);

/** Checks the options that all commands have. */
export function checkedOptions({ quick, out, backend, quiet, verbose, help }: Parsed): E.Either<string, CommonOptions> {
  if (quiet && verbose) return E.left('--quiet and --verbose cannot be combined');
  if (backend !== undefined && !isBackend(backend)) return E.left(`--backend is '${backend}'; it can be node, wasm or cpu`);
  const loudness = quiet ? 'quiet' : verbose ? 'verbose' : 'normal';
  return E.right({ quick, out, help, loudness, ...(backend === undefined ? {} : { backend }) });
}

const isBackend = (name: string): name is BackendName => ['node', 'wasm', 'cpu'].includes(name);

/** The first sentence of Node's message. The other sentences give advice about positional arguments, which do not exist here. */
const firstSentence = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\. .*$/s, '');

/**
 * Runs a command. Wrong arguments end it with the code 2, the help and what is wrong on stderr; a failure ends it with 1.
 *
 * @param read the options, or what is wrong with them
 * @param help the text for `--help`
 */
export async function runCommand<O extends CommonOptions>(
  read: E.Either<string, O>,
  help: string,
  main: (options: O) => Promise<void>,
): Promise<void> {
  if (E.isLeft(read)) {
    process.stderr.write(`${read.left}\n\n${help}`);
    process.exitCode = 2;
  } else if (read.right.help) {
    process.stdout.write(help);
  } else {
    await main(read.right).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      if (read.right.loudness === 'verbose') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
      process.exitCode = 1;
    });
  }
}
