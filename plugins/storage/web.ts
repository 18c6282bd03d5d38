/** Files of web servers, and downloads of browsers. */
import { io } from '@tensorflow/tfjs-core';
import { joined, laplaceError } from 'tfjs-laplace/extend';
import { failed, within } from './failure.js';
import { handlerPlace } from './handlers.js';
import { ENDING, type Place, readerOf } from './types.js';

/**
 * The place of a URL. Reading asks for the file itself: a URL with its ending, or the file of the usual name beside a `model.json` or in a
 * folder. Writing posts it as `model.save` does: the server has to keep the bytes, which come as the weights, under the name that is asked
 * for when reading.
 */
export function webPlace(url: string, name: string): Place {
  const file = fileOf(url, name);
  return {
    name: url,
    write: (given) => handlerPlace(io.http(url), url).write(given),
    read: async (work) => {
      const bytes = await within('read', file, async () => {
        const response = await fetch(file);
        if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`.trim());
        return new Uint8Array(await response.arrayBuffer());
      });
      return work(readerOf(bytes));
    },
  };
}

/** The URL of the file. What follows a question mark stays. */
function fileOf(url: string, name: string): string {
  const { origin, pathname, search } = parsed(url);
  if (pathname.endsWith(ENDING)) return url;
  const folder = pathname.endsWith('.json') ? pathname.slice(0, pathname.lastIndexOf('/')) : pathname.replace(/\/+$/, '');
  return `${origin}${folder}/${name}${ENDING}${search}`;
}

/** The parts of a URL. Throws `InvalidOption` for one that is none. */
function parsed(url: string): URL {
  try {
    return new URL(url);
  } catch (cause) {
    throw laplaceError('InvalidOption', {
      what: 'The place is no URL',
      field: 'where',
      found: JSON.stringify(url),
      expected: "'https://…'",
      cause,
    });
  }
}

/** A download of the browser: the user finds the file among the downloads. */
export function downloadPlace(name: string): Place {
  const file = name.endsWith(ENDING) ? name : `${name}${ENDING}`;
  return {
    name: `the download ${file}`,
    write: ({ pieces }) =>
      within('write', `the download ${file}`, async () => {
        const { document } = globalThis as { document?: BrowserDocument };
        if (document === undefined) throw new Error('downloads are for browsers');
        const url = URL.createObjectURL(new Blob([joined(pieces).buffer as ArrayBuffer], { type: 'application/octet-stream' }));
        const link = document.createElement('a');
        link.href = url;
        link.download = file;
        link.click();
        // The browser reads the URL after this turn.
        setTimeout(() => URL.revokeObjectURL(url), 60_000);
      }),
    read: () => {
      throw failed(
        'read',
        `the download ${file}`,
        new Error('a page cannot read downloads'),
        'Let the user choose the file, and use decodePosterior.',
      );
    },
  };
}

/** The part of a browser's document that is used here. */
interface BrowserDocument {
  readonly createElement: (tag: 'a') => { href: string; download: string; readonly click: () => void };
}
