/**
 * Finds out whether an `EarlyStopping` callback takes part in a `fit`. tfjs shows no callback the list of the others. But `fit`
 * hands its parameters to all callbacks, and then its model to all callbacks, in one synchronous go. A callback that gets its
 * parameters can therefore watch which models `EarlyStopping` gets until that go is over. The place in the list does not matter.
 *
 * The watch changes `EarlyStopping.prototype` and always changes it back. The end is a microtask, which runs whether `fit` goes on
 * or fails. Another `fit` cannot come in between except with a model of its own, for tfjs trains a model only once at a time.
 */
import { EarlyStopping, type LayersModel } from '@tensorflow/tfjs-layers';

/** Is told each model that an `EarlyStopping` gets. */
type Watcher = (model: LayersModel) => void;

/** The patch in place lists its watchers here. The key is the same in every build of this package, so that builds share a patch. */
const WATCHERS = Symbol.for('tfjs-laplace.earlyStopping');

interface Patch {
  (this: EarlyStopping, model: LayersModel): void;
  readonly [WATCHERS]?: Set<Watcher>;
}

/** Tells `watcher` each model that an `EarlyStopping` gets, from now until the code that runs now has come to its end. */
export function watchEarlyStopping(watcher: Watcher): void {
  const watchers = present()?.[WATCHERS] ?? patched();
  watchers.add(watcher);
  queueMicrotask(() => watchers.delete(watcher));
}

/** The prototype's own `setModel`. tfjs gives it none; it inherits one. */
const present = (): Patch | undefined =>
  Object.getOwnPropertyDescriptor(EarlyStopping.prototype, 'setModel')?.value as Patch | undefined;

/** Patches the prototype, and plans the end of the patch. */
function patched(): Set<Watcher> {
  const { prototype } = EarlyStopping;
  const own = Object.getOwnPropertyDescriptor(prototype, 'setModel');
  const original = prototype.setModel as Patch;
  const watchers = new Set<Watcher>();
  const patch: Patch = Object.assign(
    function (this: EarlyStopping, model: LayersModel): void {
      original.call(this, model);
      for (const watcher of watchers) watcher(model);
    },
    { [WATCHERS]: watchers },
  );
  Object.defineProperty(prototype, 'setModel', { configurable: true, writable: true, enumerable: false, value: patch });

  queueMicrotask(() => {
    // Somebody else may have patched it in the meantime. Without watchers ours does nothing there.
    if (present() !== patch) return;
    if (own) Object.defineProperty(prototype, 'setModel', own);
    else delete (prototype as Partial<EarlyStopping>).setModel;
  });
  return watchers;
}
