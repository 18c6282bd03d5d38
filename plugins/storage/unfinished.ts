/** Files and folders that are being written at present, so that a process that is told to end can take them away. */
import { loadNode } from './loadNode.js';

const paths = new Set<string>();
let removeNow: ((path: string) => void) | undefined;

/**
 * Runs work that writes a file or a folder under a name that nobody reads, and renames it when it is whole. Whatever is still there when the
 * work has ended, or failed, is removed. For Node.
 */
export async function whileUnfinished<A>(path: string, work: () => Promise<A>): Promise<A> {
  const { fs, sync } = await loadNode();
  removeNow = (own) => sync.rmSync(own, { recursive: true, force: true });
  paths.add(path);
  try {
    return await work();
  } finally {
    await fs.rm(path, { recursive: true, force: true });
    paths.delete(path);
  }
}

/** Removes at once what is being written at present. For a process that ends on a signal, right before it does. */
export function removeUnfinished(): void {
  for (const path of paths) removeNow?.(path);
}
