/** An object without the fields that are undefined, as JSON keeps it. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

export function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>;
}

/**
 * What a text of JSON says. JSON has no `undefined`, so that stands for text that is not JSON: a SyntaxError would quote it,
 * perhaps with a secret, which a log would keep. V8 parses without recursion, so depth cannot hurt.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
