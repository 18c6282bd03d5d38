/** Writes pictures to files. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { argument, text } from 'tfjs-laplace/extend';
import { canDrawText, pngOf } from './png.js';

/** Paths of the files that were written. */
export interface Written {
  readonly svg: string;
  readonly png: string;
  /** A sentence for the user when the PNG lacks its text. */
  readonly warning?: string;
}

/**
 * Writes `name.svg` and `name.png`. A reader never sees a half-written file. Rejects with `Backend`, and writes nothing, without the
 * package `@resvg/resvg-js`; with `InvalidOption` for arguments that are no text.
 *
 * @param folder the folder, which is made if it does not exist
 * @param name file name without extension
 * @param svg SVG text
 */
export async function writePicture(folder: string, name: string, svg: string): Promise<Written> {
  argument('writePicture', 'folder', text, folder);
  argument('writePicture', 'name', text, name);
  const png = await pngOf(svg);
  await mkdir(folder, { recursive: true });
  const paths = { svg: join(folder, `${name}.svg`), png: join(folder, `${name}.png`) };
  await writeWhole(paths.svg, svg);
  await writeWhole(paths.png, png);
  if (await canDrawText()) return paths;
  const warning = `${basename(paths.png)} has no text, because this machine has no font (Debian: apt-get install fonts-dejavu-core). The SVG has it.`;
  return { ...paths, warning };
}

/** Writes a temporary file beside the target, then renames it. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, content);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}
