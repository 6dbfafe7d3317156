import type { Cursor } from '../bytes/cursor.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { calleeName, entriesOf, isKind, itemsOf, type PickledValue } from './values.ts';

const WRAPPER = 'joblib.numpy_pickle.NumpyArrayWrapper';

/** What joblib reads right after the wrapper of an array. */
type ArrayContent =
  | { readonly kind: 'bytes'; readonly length: number; readonly padded: boolean }
  | { readonly kind: 'pickle' };

/**
 * Skips what joblib writes into the middle of a pickle: the bytes of an array, right after its NumpyArrayWrapper. For an
 * array of objects another pickle stands there, which `walkNested` walks.
 * Source: joblib numpy_pickle.py, NumpyArrayWrapper.read_array.
 */
export function joblibArrays(
  walkNested: (input: Cursor) => Promise<void>,
): (value: PickledValue, input: Cursor) => Promise<void> {
  return async (value, input) => {
    if (calleeName(value) !== WRAPPER) return;
    const content = contentOf(value);
    if (content.kind === 'pickle') {
      await walkNested(input);
      return;
    }
    if (content.padded) {
      await input.fill(1);
      input.skip(input.u8());
    }
    input.skip(content.length);
  };
}

function contentOf(wrapper: PickledValue): ArrayContent {
  const state = isKind(wrapper, 'call') ? entriesOf(wrapper.state) : undefined;
  const shape = itemsOf(state?.get('shape'));
  const dtype = state?.get('dtype');
  const name = isKind(dtype, 'call') ? itemsOf(dtype.args)?.[0] : undefined;
  if (calleeName(dtype) !== 'numpy.dtype' || typeof name !== 'string' || shape === undefined) throw unknownArray();
  if (name.startsWith('O')) return { kind: 'pickle' };
  const length = shape.reduce<number>((count, side) => count * sideOf(side), itemBytes(name));
  if (!Number.isSafeInteger(length)) throw unknownArray();
  return { kind: 'bytes', length, padded: typeof state?.get('numpy_array_alignment_bytes') === 'number' };
}

function sideOf(side: PickledValue): number {
  if (typeof side === 'number' && Number.isSafeInteger(side) && side >= 0) return side;
  throw unknownArray();
}

/** The bytes of one item, by a dtype such as `f8`; `U10` takes four for each character. */
function itemBytes(dtype: string): number {
  const [, kind, digits] = /^([biufcmMSU])(\d{1,9})$/.exec(dtype) ?? [];
  if (digits === undefined) throw unknownArray();
  return Number(digits) * (kind === 'U' ? 4 : 1);
}

function unknownArray(): StructureError {
  return new StructureError('it holds an array of an unknown kind');
}
