import { SavedWorkers, type SyncResult } from '@model-rtc/client';
import { type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import PQueue from 'p-queue';
import type { Context } from '../console/context.ts';
import { printable } from '../console/format.ts';
import { type NetworkOptions, sessionToken, withWorker } from '../console/worker-session.ts';
import { type WorkerNamer, workerNamer } from './worker-names.ts';

export interface SyncOptions extends NetworkOptions {
  readonly worker: readonly string[];
  readonly all: boolean;
}

/** Each connection takes a moment of the processor; a person has a handful of workers. */
const WORKERS_AT_ONCE = 4;

interface Failed {
  readonly session: string;
  readonly error: ModelRtcError;
}

/** How it went with one worker. */
type Outcome = Failed | { readonly session: string; readonly synced: SyncResult };

/** Asks every worker that is named for its models. One that does not answer keeps none of the others from it. */
export async function syncWorkers(context: Context, options: SyncOptions): Promise<void> {
  const sessions = await namedSessions(context, options);
  const queue = new PQueue({ concurrency: WORKERS_AT_ONCE });
  const outcomes = await Promise.all(sessions.map((session) => queue.add(() => syncOne(context, options, session))));
  const nameOf = await workerNamer(context);
  const text = outcomes.flatMap((outcome) => ('synced' in outcome ? syncedLines(outcome.synced, nameOf) : []));
  context.output.result({ workers: outcomes.map((outcome) => asJson(outcome, nameOf)) }, text.join('\n'));
  const failed = outcomes.filter((outcome) => 'error' in outcome);
  if (failed.length > 0) throw failure(failed, outcomes.length);
}

/** As given, each worker once: several sessions may lead to the same one. */
async function namedSessions(context: Context, { worker, all }: SyncOptions): Promise<string[]> {
  const saved = all ? (await SavedWorkers.open(context.home)).list().map(({ name }) => name) : [];
  const given = [...worker, ...saved];
  const inEnvironment = context.runtime.env.MODEL_RTC_SESSION;
  if (given.length === 0 && !all && inEnvironment) given.push(inEnvironment);
  if (given.length === 0) throw nobodyToAsk(all);
  const byKey = new Map<string, string>();
  for (const session of given) {
    const key = Buffer.from((await sessionToken(context, session)).workerKey).toString('hex');
    if (!byKey.has(key)) byKey.set(key, session);
  }
  return [...byKey.values()];
}

function nobodyToAsk(all: boolean): ModelRtcError {
  const sentence = all
    ? 'No worker is saved here. Save one: model-rtc client workers add NAME SESSION; or name one with --worker.'
    : 'Which workers? Give --worker with a session token, a saved name or @FILE, once for each, or --all for all saved ones.';
  return new ModelRtcError('bad_argument', sentence);
}

async function syncOne(context: Context, options: SyncOptions, session: string): Promise<Outcome> {
  try {
    const synced = await withWorker(context, { ...options, session }, (worker) =>
      worker.sync({ signal: context.signal }),
    );
    return { session, synced };
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
  const models = `${total} ${total === 1 ? 'model' : 'models'}`;
  return [
    `${printable(nameOf(worker))}: ${models}, ${counts.length === 0 ? 'as before' : counts.join(', ')}`,
    ...listed('new', added.map(called)),
    ...listed('changed', updated.map(called)),
    ...listed('gone', removed.map(called)),
    ...listed('alias', differing),
  ];
}

function called({ id, alias, modelType }: ModelEntry): string {
  return `${alias === undefined ? id : `${alias} (${id})`}, ${modelType}`;
}

/** Models named for each kind of change; --json has all of them. */
const SHOWN_CHANGES = 20;

function listed(kind: string, items: readonly string[]): string[] {
  const lines = items.slice(0, SHOWN_CHANGES).map((item) => `  ${kind.padEnd(7)}  ${printable(item)}`);
  const more = items.length - lines.length;
  return more > 0 ? [...lines, `  ${kind.padEnd(7)}  and ${more} more`] : lines;
}

/** A token is a secret: only a name, or a file's, is repeated. */
function shownSession(session: string): string {
  return /^@?mrtc\d+_/.test(session) ? 'a session token' : session;
}

function failure(failed: readonly Failed[], count: number): ModelRtcError {
  const [first] = failed as readonly [Failed, ...Failed[]];
  const each = failed.map(({ session, error }) => `${shownSession(session)}: ${error.message}`).join(' ');
  const sentence =
    count === 1 ? first.error.message : `${failed.length} of ${count} workers could not be asked. ${each}`;
  return new ModelRtcError(first.error.code, sentence, { cause: first.error });
}
