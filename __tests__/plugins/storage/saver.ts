/** Saves one posterior after another to a file that is there already, until it is killed. Writes a line once it has begun. */
import { loadPosterior, savePosterior } from 'tfjs-laplace/plugins/storage';

const where = `file://${process.argv[2]}`;
const posterior = await loadPosterior(where);
console.log('saving');
for (let datasetSize = 1; ; datasetSize++) await savePosterior({ ...posterior, datasetSize }, where);
