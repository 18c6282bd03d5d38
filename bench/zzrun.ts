import { useBackend } from 'tfjs-laplace/plugins/backends';
import { regression } from './quality/regression.js';
await useBackend();
const f = await regression([1, 2, 3, 4, 5]); for (const t of f.tables) console.log(t.title, t.rows.map((r) => r.join(' | ')).join('\n  ')); console.log(f.bars);
process.exit(0);
