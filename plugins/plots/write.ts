/** Pictures as files. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { canDrawText, pngOf } from './png.js';

/** What was written. */
export interface Written {
  readonly svg: string;
  readonly png: string;
  /** Something to tell the user, where the PNG is not what it should be. */
  readonly warning?: string;
}

/** Writes `name.svg` and `name.png` into a folder, which is made. Neither file is ever seen half written. */
export async function writePicture(folder: string, name: string, svg: string): Promise<Written> {
  await mkdir(folder, { recursive: true });
  const paths = { svg: join(folder, `${name}.svg`), png: join(folder, `${name}.png`) };
  await writeWhole(paths.svg, svg);
  await writeWhole(paths.png, pngOf(svg));
  if (canDrawText()) return paths;
  const warning = `${basename(paths.png)} has no words: this machine has no font (Debian: apt-get install fonts-dejavu-core). The SVG is whole.`;
  return { ...paths, warning };
}

/** Writes beside, then renames. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, content);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}
