/** What a call comes to, whichever way its failure comes: thrown, as a Left, as the error of a stream or as a rejection. */
import { isObservable, lastValueFrom } from 'rxjs';

/** A value, or an error. */
export type Outcome =
  | { readonly _tag: 'value'; readonly value: unknown }
  | { readonly _tag: 'error'; readonly error: unknown; readonly came: 'thrown' | 'left' | 'later' };

/** Calls, and waits for the value or the error. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return { _tag: 'error', error, came: 'thrown' };
  }
  try {
    const value = await (isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result);
    const { _tag, left, right } = (value ?? {}) as { _tag?: unknown; left?: unknown; right?: unknown };
    if (_tag === 'Left') return { _tag: 'error', error: left, came: 'left' };
    return { _tag: 'value', value: _tag === 'Right' ? right : value };
  } catch (error) {
    return { _tag: 'error', error, came: 'later' };
  }
}
