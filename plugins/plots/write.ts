/** Writes pictures to files. */
import { basename, join } from 'node:path';
import { argument, text } from 'tfjs-laplace/extend';
import { writeWhole } from 'tfjs-laplace/plugins/storage';
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
 * package `@resvg/resvg-js`; with `InvalidOption` for arguments that are no
 * text; with `Storage` if a file cannot be written.
 *
 * @param folder the folder, which is made if it does not exist
 * @param name file name without extension
 * @param svg SVG text
 */
export async function writePicture(folder: string, name: string, svg: string): Promise<Written> {
  argument('writePicture', 'folder', text, folder);
  argument('writePicture', 'name', text, name);
  const png = await pngOf(svg);
  const paths = { svg: join(folder, `${name}.svg`), png: join(folder, `${name}.png`) };
  await writeWhole(paths.svg, svg);
  await writeWhole(paths.png, png);
  if (await canDrawText()) return paths;
  const warning = `${basename(paths.png)} has no text, because this machine has no font (Debian: apt-get install fonts-dejavu-core). The SVG has it.`;
  return { ...paths, warning };
}
