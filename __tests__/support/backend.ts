/** The backends a test run can be given, by the name that LAPLACE_BACKEND takes. */
import { restoreRemoved } from '../../plugins/backends/removed.js';

const KERNELS = {
  node: { name: 'tensorflow', load: loadNative },
  wasm: { name: 'wasm', load: () => require('@tensorflow/tfjs-backend-wasm') },
  cpu: { name: 'cpu', load: () => require('@tensorflow/tfjs-backend-cpu') },
} as const;

function loadNative(): void {
  restoreRemoved();
  require('@tensorflow/tfjs-node-gpu');
}

type Choice = keyof typeof KERNELS;

const isChoice = (value: string): value is Choice => value in KERNELS;

/** Registers the kernels of a backend and gives the name tfjs knows it by. */
function register(choice: Choice): string {
  KERNELS[choice].load();
  return KERNELS[choice].name;
}

/** A backend that was asked for by name must load; without a name, a native binding that doesn't load gives way to WASM. */
export function load(asked: string | undefined): string {
  if (asked) {
    if (!isChoice(asked)) throw new Error(`LAPLACE_BACKEND is ${asked}; it can be ${Object.keys(KERNELS).join(', ')}`);
    return register(asked);
  }
  try {
    return register('node');
  } catch {
    process.stderr.write('The native binding does not load: this file runs on WASM.\n');
    return register('wasm');
  }
}
