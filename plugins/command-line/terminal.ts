/** What a command works with: results on stdout, progress and remarks on stderr, and a backend. */
import { type BackendName, useBackend, withoutGreeting } from 'tfjs-laplace/plugins/backends';
import { type Loudness, type TerminalProgress, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { jsonOf } from './json.js';

/** Options of every command. */
export interface Common {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly backend?: BackendName;
}

/** Where a command says what it has to say. */
export interface Terminal {
  /** Writes a result: the text, or with `--json` the data. */
  readonly result: (text: () => string, data: () => unknown) => void;
  /** Says something about the work, on stderr, unless it is told to be quiet. */
  readonly remark: (text: string) => void;
  readonly step: TerminalProgress['step'];
  /** Starts TensorFlow.js. What needs no arithmetic on tensors does without. */
  readonly start: () => Promise<void>;
  readonly asJson: boolean;
}

/** The streams of a process, or of a test. */
export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: { readonly write: (text: string) => unknown; readonly isTTY?: boolean };
}

/** The terminal of a command. */
export function terminalOf({ json = false, quiet, verbose, backend }: Common, { stdout, stderr }: Streams): Terminal {
  const loudness: Loudness = quiet ? 'quiet' : verbose ? 'verbose' : 'normal';
  const remark = (text: string): void => {
    if (loudness !== 'quiet') stderr.write(`${text}\n`);
  };
  let bar: Promise<TerminalProgress> | undefined;
  return {
    result: (text, data) => stdout(`${json ? jsonOf(data()) : text()}\n`),
    remark,
    step: async (title, work) => {
      bar ??= progressOn(stderr, loudness);
      return (await bar).step(title, work);
    },
    start: async () => {
      // TensorFlow's kernels log to stderr otherwise, and read these when they load.
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
      process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
      const { name, reason, cost } = await withoutGreeting(() => useBackend(backend === undefined ? {} : { prefer: backend }));
      if (loudness === 'verbose' || name !== 'node') remark(`Backend ${name}: ${reason} ${cost}`);
    },
    asJson: json,
  };
}

/** A bar needs a package that the library does not bring. Without it there are lines. */
async function progressOn(stderr: Streams['stderr'], loudness: Loudness): Promise<TerminalProgress> {
  const isThere = stderr.isTTY === true && (await import('cli-progress').then(Boolean, () => false));
  return terminalProgress({ loudness, output: isThere ? stderr : { write: (text: string) => stderr.write(text) } });
}
