import * as z from 'zod';
import { runAtOnce, type Steps } from './steps.ts';

/** How many items are looked at between two yields. */
const ITEMS_A_STEP = 64;

export interface ListRules<T extends z.ZodType> {
  readonly min?: number;
  readonly max: number;
  /**
   * Gives an item as the schema gives it, in less time; undefined when only the schema can tell. For lists of hundreds of
   * thousands of items: zod takes about a microsecond for each.
   */
  readonly quick?: (value: unknown) => z.output<T> | undefined;
  /** The rule that the items break together, looked at before any item is, so quickly that it needs no steps. */
  readonly together?: (values: readonly unknown[]) => string | undefined;
}

/** A list's schema, whose work can be done beforehand, in steps. */
export type ListSchema<T extends z.ZodType> = z.ZodType<z.output<T>[], z.input<T>[]> & {
  /**
   * Checks the items and remembers what came of it: the schema does not look at the same list again.
   * @returns the list that the schema gives for it; undefined when it is refused
   */
  readonly check: (value: unknown) => Steps<z.output<T>[] | undefined>;
};

/** What came of a list: its items, or the problems of its first bad one. */
type Checked<T> = { readonly list: T[] } | { readonly issues: readonly z.core.$ZodRawIssue[] };

/**
 * A list that is refused at its first bad item. `z.array` goes on and collects the problems of all items: 0.2 MB of empty maps in
 * place of files took two seconds. A list that the schema has taken or given is not looked at again, so nobody may change it.
 */
export function listSchema<T extends z.ZodType>(item: T, rules: ListRules<T>): ListSchema<T> {
  const { min = 0, max } = rules;
  const shape = z.array(z.unknown()).min(min).max(max);
  const known = new WeakMap<readonly unknown[], Checked<z.output<T>>>();
  const isCountable = (value: unknown): value is unknown[] =>
    Array.isArray(value) && value.length >= min && value.length <= max;
  function* checkOnce(values: readonly unknown[]): Steps<Checked<z.output<T>>> {
    const checked = known.get(values) ?? (yield* checkItems(item, rules, values));
    known.set(values, checked);
    if ('list' in checked) known.set(checked.list, checked);
    return checked;
  }
  const schema = z.unknown().transform((value, context): z.output<T>[] => {
    const { error } = isCountable(value) ? {} : shape.safeParse(value);
    const checked =
      error === undefined ? runAtOnce(checkOnce(value as unknown[])) : { issues: rawIssues(error, value) };
    if ('list' in checked) return checked.list;
    context.issues.push(...checked.issues);
    return z.NEVER;
  });
  return Object.assign(schema as unknown as z.ZodType<z.output<T>[], z.input<T>[]>, {
    *check(value: unknown): Steps<z.output<T>[] | undefined> {
      const checked = isCountable(value) ? yield* checkOnce(value) : undefined;
      return checked !== undefined && 'list' in checked ? checked.list : undefined;
    },
  });
}

function* checkItems<T extends z.ZodType>(
  item: T,
  rules: ListRules<T>,
  values: readonly unknown[],
): Steps<Checked<z.output<T>>> {
  const problem = rules.together?.(values);
  if (problem !== undefined) return { issues: [{ code: 'custom', message: problem, path: [], input: values }] };
  const list: z.output<T>[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    let output = rules.quick?.(value);
    if (output === undefined) {
      const parsed = item.safeParse(value);
      if (!parsed.success) return { issues: rawIssues(parsed.error, value, [i]) };
      output = parsed.data;
    }
    list.push(output);
    if (i % ITEMS_A_STEP === ITEMS_A_STEP - 1) yield;
  }
  return { list };
}

function rawIssues({ issues }: z.ZodError, input: unknown, place: readonly PropertyKey[] = []): z.core.$ZodRawIssue[] {
  return issues.map((issue) => ({ ...issue, path: [...place, ...issue.path], input }) as z.core.$ZodRawIssue);
}
