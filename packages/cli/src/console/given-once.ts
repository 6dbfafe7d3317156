import { ModelRtcError } from '@model-rtc/protocol';

/** What is told of the options by yargs, as far as it is asked here. */
interface KnownOptions {
  readonly array?: readonly string[] | undefined;
  readonly [kind: string]: unknown;
}

/** The kinds of options with one value. */
const KINDS = ['string', 'number', 'boolean'] as const;

/**
 * Refuses an option with one value that was given several times: yargs makes an array of them, which no command expects.
 *
 * @param argv - what was parsed, with the options' values by their names.
 * @throws ModelRtcError `bad_argument`
 */
export function assertGivenOnce(argv: Readonly<Record<string, unknown>>, known: KnownOptions): void {
  const single = KINDS.flatMap((kind) => (known[kind] as readonly string[] | undefined) ?? []);
  const choices = Object.keys((known.choices as object | undefined) ?? {});
  for (const name of [...single, ...choices]) {
    if (!Array.isArray(argv[name]) || known.array?.includes(name)) continue;
    throw new ModelRtcError('bad_argument', `Give ${name.length === 1 ? '-' : '--'}${name} once.`, {
      details: { name },
    });
  }
}
