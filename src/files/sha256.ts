/** SHA-256, piece by piece: that of Node where there is one, which is ten times as fast, and else one in JavaScript. */
import { sha256 as portable } from '@noble/hashes/sha2';

/** A hash that is being computed. */
export interface Hash {
  readonly update: (bytes: Uint8Array) => Hash;
  /** The 64 digits. Nothing can be added after that. */
  readonly digits: () => string;
}

/** What hashes. */
interface Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Gives Node's modules without an import, which a browser could not follow. Node has it from 20.16 on. */
type Runtime = {
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => { readonly createHash?: (algorithm: string) => Hasher } | undefined;
  };
};
const createHash = (globalThis as Runtime).process?.getBuiltinModule?.('node:crypto')?.createHash;

const hasherOf = (): Hasher => createHash?.('sha256') ?? portable.create();

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Begins a hash. `hasher` is for tests. */
export function sha256(hasher: Hasher = hasherOf()): Hash {
  const own: Hash = {
    update: (bytes) => {
      hasher.update(bytes);
      return own;
    },
    digits: () => hex(hasher.digest()),
  };
  return own;
}
