import { bytesReader, readHead } from '../bytes/byte-readers.ts';
import { Cursor } from '../bytes/cursor.ts';
import { compressionOf, inflateHead } from '../bytes/inflate.ts';
import { createReadBudget } from '../bytes/read-budget.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { joblibArrays } from './joblib-arrays.ts';
import { calleeName, entriesOf, isKind, itemsOf, type PickledGlobal, type PickledValue } from './values.ts';
import { walkInput } from './walk-pickle.ts';

/** What a pickle is, as far as one can tell without running it. */
export interface PickledObject {
  /** `sklearn.linear_model._logistic.LogisticRegression`; undefined when the pickle holds no single object, or is cut. */
  readonly className: string | undefined;
  /** What the object keeps, without what is in it. */
  readonly state: ReadonlyMap<string, PickledValue>;
  readonly imports: readonly PickledGlobal[];
}

/** A forest holds some thousands of trees; what is behind them tells nothing of the object. */
const MAX_KEPT = 200_000;
const MAX_NESTED_ARRAYS = 4;
/** How older protocols make an object: the class is the first argument. */
const MAKERS = new Set([
  'copyreg._reconstructor',
  'copy_reg._reconstructor',
  'copyreg.__newobj__',
  'copy_reg.__newobj__',
]);
const NO_STATE: ReadonlyMap<string, PickledValue> = new Map();

/** Walks a pickle of pickle.dump or joblib.dump, compressed ones too: of those, the beginning alone. */
export async function readPickledObject(reader: ByteReader, options: ReadOptions): Promise<PickledObject> {
  const { inflate, budget = createReadBudget(), signal } = options;
  const head = await readHead(reader, 2);
  const compression = compressionOf(head);
  const content =
    compression === undefined
      ? reader
      : bytesReader((await inflateHead(reader, compression, { inflate, budget })).bytes);
  const hook = (depth: number): ReturnType<typeof joblibArrays> =>
    joblibArrays(async (input) => {
      if (depth < MAX_NESTED_ARRAYS)
        await walkInput(input, { signal, budget, maxKept: 0, afterBuild: hook(depth + 1) });
    });
  const walk = await walkInput(new Cursor(content, 0), { signal, budget, maxKept: MAX_KEPT, afterBuild: hook(0) });
  const { value, imports } = walk;
  return { className: classOf(value), state: stateOf(value), imports };
}

function classOf(value: PickledValue): string | undefined {
  const callee = calleeName(value);
  if (callee === undefined || !isKind(value, 'call') || !MAKERS.has(callee)) return callee;
  const [made] = itemsOf(value.args) ?? [];
  return isKind(made, 'global') ? `${made.module}.${made.name}` : undefined;
}

function stateOf(value: PickledValue): ReadonlyMap<string, PickledValue> {
  return isKind(value, 'call') ? (entriesOf(value.state) ?? NO_STATE) : NO_STATE;
}
