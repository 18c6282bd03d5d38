/** The versions of the format, and how what an older one says becomes what the newest says. */

/** What a file holds. */
export type FileKind = 'posterior' | 'factors';

/** Makes a manifest of one version that of the next. It gets what the file says, not yet looked at, and must not throw for it. */
export type Migration = (manifest: unknown, kind: FileKind) => unknown;

/**
 * The step that leaves version v stands at place v − 1. A new version of the format is a step at the end, with a file of the former version in
 * the tests. There is one version so far, and no step.
 */
const STEPS: ReadonlyArray<Migration> = [];

/** The version of the format that this version of the library writes. It reads all versions up to this one. */
export const VERSION = STEPS.length + 1;

/** The manifest of a file of this version, as the newest version has it. */
export const migrated = (version: number, kind: FileKind, manifest: unknown, steps = STEPS): unknown =>
  steps.slice(version - 1).reduce((own, step) => step(own, kind), manifest);
