import type { SyncResult } from '@model-rtc/client';
import { mapLimit } from '@model-rtc/files';
import { type ModelEntry, ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import { type ArgumentSpecs, defineCommand, flagOption, type ValuesOf } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, formatModel, isTokenText, printable } from '../../console/format.ts';
import { requireBest, sessionToken } from '../../console/session-argument.ts';
import { connectSession, type WorkerNamer, workerNamer } from '../connect.ts';
import { networkOptions, workerOption } from '../options.ts';

/** Each connection takes a moment of the processor; a person has a handful of workers. */
const WORKERS_AT_ONCE = 4;

const syncOptions = {
  ...networkOptions,
  worker: {
    ...workerOption,
    array: true,
    default: [],
    describe: 'A worker: a token, a saved name, @FILE, mesh:NODE or mesh:best; may be given several times',
  },
  all: flagOption('All saved workers'),
} as const satisfies ArgumentSpecs;
type SyncOptions = ValuesOf<typeof syncOptions>;

export const sync = defineCommand({
  usage: 'sync',
  describe: 'Ask workers which models they have, and remember it for list-models and model-info',
  options: syncOptions,
  examples: [
    ['$0 client sync --all', 'every saved worker'],
    ['$0 client sync --worker lab --worker @session.txt', 'two of them'],
  ],
  /** Asks all named workers, even if one of them does not answer. */
  async run(context, options) {
    const sessions = await namedSessions(context, options);
    const outcomes = await mapLimit(sessions, WORKERS_AT_ONCE, (named) => syncOne(context, options, named));
    const nameOf = await workerNamer(context);
    const text = outcomes.flatMap((outcome) => ('synced' in outcome ? syncedLines(outcome.synced, nameOf) : []));
    context.output.result({ workers: outcomes.map((outcome) => asJson(outcome, nameOf)) }, text.join('\n'));
    const failed = outcomes.filter((outcome) => 'error' in outcome);
    if (failed.length > 0) throw failure(failed, outcomes.length);
  },
});

interface Failed {
  readonly session: string;
  readonly error: ModelRtcError;
}

/** The result for one worker. */
type Outcome = Failed | { readonly session: string; readonly synced: SyncResult };

/** A session as a person wrote it, and what it is. `mesh:best` may be another node a moment later. */
interface NamedSession {
  readonly session: string;
  readonly token: SessionToken;
}

/** The sessions in the given order, one for each worker. */
async function namedSessions(context: Context, options: SyncOptions): Promise<NamedSession[]> {
  const { worker, all, where, best } = options;
  const { SavedWorkers } = await import('../../console/saved-workers.ts');
  const saved = all ? (await SavedWorkers.open(context.home)).list().map(({ name }) => name) : [];
  const given = [...worker, ...saved];
  const inEnvironment = context.runtime.env.MODEL_RTC_SESSION;
  if (given.length === 0 && !all && inEnvironment) given.push(inEnvironment);
  if (given.length === 0) throw nobodyToAsk(all);
  requireBest(options, given);
  const byKey = new Map<string, NamedSession>();
  for (const session of given) {
    const token = await sessionToken(context, session, { where, best });
    const key = Buffer.from(token.workerKey).toString('hex');
    if (!byKey.has(key)) byKey.set(key, { session, token });
  }
  return [...byKey.values()];
}

function nobodyToAsk(all: boolean): ModelRtcError {
  const sentence = all
    ? 'No workers are saved. Save one: model-rtc client workers add NAME SESSION, or pass --worker.'
    : 'Which workers? Pass --worker with a session token, a saved name, @FILE or mesh:NODE for each, or --all for all saved ones.';
  return new ModelRtcError('bad_argument', sentence);
}

async function syncOne(context: Context, options: SyncOptions, { session, token }: NamedSession): Promise<Outcome> {
  try {
    await using worker = await connectSession(context, options, { text: session, token });
    return { session, synced: await worker.sync({ signal: context.signal }) };
  } catch (error) {
    return { session, error: ModelRtcError.from(error) };
  }
}

function asJson(outcome: Outcome, nameOf: WorkerNamer): object {
  if ('error' in outcome) return { name: shownSession(outcome.session), error: outcome.error.toData() };
  const { worker, ...changes } = outcome.synced;
  return { key: worker.key, name: nameOf(worker), ...changes };
}

function syncedLines({ worker, ...synced }: SyncResult, nameOf: WorkerNamer): string[] {
  const { total, added, updated, removed, aliasDifferences } = synced;
  const counts = [
    ...(added.length > 0 ? [`${added.length} new`] : []),
    ...(updated.length > 0 ? [`${updated.length} changed`] : []),
    ...(removed.length > 0 ? [`${removed.length} gone`] : []),
  ];
  const differing = aliasDifferences.map(
    ({ id, here, there }) => `${id}: ${here ?? 'no alias'} here, ${there ?? 'no alias'} there`,
  );
  const models = formatCount(total, 'model');
  return [
    `${printable(nameOf(worker))}: ${models}, ${counts.length === 0 ? 'no changes' : counts.join(', ')}`,
    ...listed('new', added.map(described)),
    ...listed('changed', updated.map(described)),
    ...listed('gone', removed.map(described)),
    ...listed('alias', differing),
  ];
}

function described(entry: ModelEntry): string {
  return `${formatModel(entry)}, ${entry.modelType}`;
}

/** Models listed for each kind of change; --json has all of them. */
const SHOWN_CHANGES = 20;

function listed(kind: string, items: readonly string[]): string[] {
  const lines = items.slice(0, SHOWN_CHANGES).map((item) => `  ${kind.padEnd(7)}  ${printable(item)}`);
  const more = items.length - lines.length;
  return more > 0 ? [...lines, `  ${kind.padEnd(7)}  and ${more} more`] : lines;
}

/** A token is a secret: only a saved name, or a file's, is shown. */
function shownSession(session: string): string {
  return isTokenText(session) ? 'a session token' : session;
}

function failure(failed: readonly Failed[], count: number): ModelRtcError {
  const [first] = failed as readonly [Failed, ...Failed[]];
  const each = failed.map(({ session, error }) => `${shownSession(session)}: ${error.message}`).join(' ');
  const sentence =
    count === 1 ? first.error.message : `${failed.length} of ${count} workers could not be asked. ${each}`;
  return new ModelRtcError(first.error.code, sentence, { cause: first.error });
}
