/** Files for tests, in a folder that is removed at the end; and the error that a promise ends with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLaplaceError, type LaplaceError } from 'tfjs-laplace';

const folder = mkdtempSync(join(tmpdir(), 'data-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** Writes a file whose name ends in `name`, and gives its path. */
export function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${count++}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** The LaplaceError that a promise rejects with. Anything else fails the test. */
export async function failure(promise: Promise<unknown>): Promise<LaplaceError> {
  const error: unknown = await promise.then(
    (value) => new Error(`expected a failure, found ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isLaplaceError(error)) throw error;
  return error;
}

/** A file of generate.py with what numpy says that it holds. */
interface ArrayCase {
  readonly name: string;
  readonly file: string;
  readonly shape: ReadonlyArray<number>;
  readonly values: ReadonlyArray<number>;
}

/** What generate.py wrote. */
export const VALUES: {
  readonly arrays: ReadonlyArray<ArrayCase>;
  readonly refused: ReadonlyArray<{ readonly file: string; readonly words: ReadonlyArray<string> }>;
  readonly tables: {
    readonly columns: ReadonlyArray<string>;
    readonly numbers: Readonly<Record<string, ReadonlyArray<number>>>;
    readonly kinds: ReadonlyArray<string>;
    readonly categories: ReadonlyArray<string>;
    readonly all: string;
    readonly forms: Readonly<Record<string, string>>;
    readonly zstd: string;
    readonly lz4: string;
    readonly tiny: string;
    readonly none: string;
  };
} = JSON.parse(readFileSync(join(__dirname, 'values.json'), 'utf8'));

export const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
