/** Keeps what a run found, where the output of its recipe says. */
import type { Factors } from 'tfjs-laplace';
import { saveFactors, savePosterior, writeWhole } from 'tfjs-laplace/plugins/storage';
import type { Kept, RecipeReport, Work } from './report.js';
import { reportData } from './reportData.js';

/** Keeps the output of a recipe. Rejects with `Storage`, and with the errors of `encodePosterior` and `encodeFactors`. */
export async function keep(
  report: Omit<RecipeReport, 'kept'>,
  factors: Factors,
  { step }: Pick<Work, 'step'>,
): Promise<ReadonlyArray<Kept>> {
  const { output } = report.recipe;
  if (output === 'none') return [];
  const { to, dtype } = output;
  const ways: Readonly<Record<Kept['what'], () => Promise<string>>> = {
    posterior: async () => (await savePosterior(report.posterior, to, { dtype })).where,
    factors: async () => (await saveFactors(factors, to)).where,
    report: async () => {
      const path = `${to.slice('file://'.length).replace(/\/+$/, '')}/report.json`;
      await writeWhole(path, `${JSON.stringify(reportData(report), null, 2)}\n`);
      return path;
    },
  };
  return step('The files', async () => {
    const kept: Kept[] = [];
    for (const what of output.keep) kept.push({ what, where: await ways[what]() });
    return kept;
  });
}
