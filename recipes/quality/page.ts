/** The story as one page of HTML. Its pictures are inside, so that it can be moved and mailed. It is light or dark as its reader is. */
import { type Block, type Chapter, type Picture, unbroken } from './story.js';

/** A chapter whose pictures are drawn: the SVG text of each by its name. */
export interface Drawn {
  readonly chapter: Chapter;
  readonly pictures: Readonly<Record<string, string>>;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #222; --soft: #6b6b6b; --line: #ddd; --paper: #fff; --card: #fff; --link: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a5a5a5; --line: #3c3c3c; --paper: #191a1c; --card: #f4f4f4; --link: #6cb8ea; }
}
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 46rem; color: var(--ink); background: var(--paper);
  font: 1.0625rem/1.6 system-ui, "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.75rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3rem 0 0.75rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
p { margin: 0 0 1rem; }
a { color: var(--link); }
ol.gists { padding-left: 1.4rem; }
ol.gists li { margin-bottom: 0.5rem; }
figure { margin: 1.5rem 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; background: var(--card); border-radius: 6px; }
figcaption { margin-top: 0.5rem; color: var(--soft); font-size: 0.9rem; line-height: 1.45; }
.table { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: bottom; }
td { white-space: nowrap; }
th { font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 9rem; }
`.trim();

/**
 * Writes the page.
 *
 * @param opening paragraphs before the first chapter
 * @returns the text of an HTML file
 */
export function pageOf(title: string, opening: ReadonlyArray<string>, drawn: ReadonlyArray<Drawn>): string {
  const gists = drawn.map(
    ({ chapter }, i) => `<li><a href="#chapter-${i + 1}">${escaped(chapter.title)}</a>. ${escaped(chapter.gist)}</li>`,
  );
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    '</head>',
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    ...opening.map(paragraph),
    `<ol class="gists">\n${gists.join('\n')}\n</ol>`,
    ...drawn.flatMap(({ chapter, pictures }, i) => [
      `<h2 id="chapter-${i + 1}">${i + 1}. ${escaped(chapter.title)}</h2>`,
      ...chapter.blocks.map((block) => blockOf(block, pictures)),
    ]),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function blockOf(block: Block, pictures: Drawn['pictures']): string {
  switch (block._tag) {
    case 'text':
      return paragraph(block.text);
    case 'table':
      return tableOf(block.head, block.rows);
    case 'picture':
      return figure(block, pictures[block.name] as string);
  }
}

const paragraph = (words: string): string => `<p>${escaped(words)}</p>`;

function tableOf(head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const line = (tag: 'th' | 'td', cells: ReadonlyArray<string>): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return [
    '<div class="table"><table>',
    `<thead>${line('th', head)}</thead>`,
    `<tbody>${rows.map((row) => line('td', row)).join('\n')}</tbody>`,
    '</table></div>',
  ].join('\n');
}

/** A picture as an image of its own: the clipping paths of two SVG pictures in one document would have the same names. */
function figure({ caption }: Picture, svg: string): string {
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return `<figure><img src="${source}" alt="${escaped(caption)}"><figcaption>${escaped(caption)}</figcaption></figure>`;
}

const escaped = (words: string): string =>
  unbroken(words).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
