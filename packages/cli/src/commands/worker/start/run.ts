import { hostname } from 'node:os';
import { writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { EngineChoice } from '@model-rtc/transport';
import {
  INTERRUPTED_AFTER_MS,
  type RunningWorker,
  startWorker,
  type WatchEvent,
  type WorkerOptions,
} from '@model-rtc/worker';
import type { Context } from '../../../console/context.ts';
import { formatCount, formatModel, formatTime, printable } from '../../../console/format.ts';
import { parseDuration } from '../../../console/quantities.ts';
import { untilAborted } from '../../../console/runtime.ts';
import { agentLimits } from '../../../console/settings.ts';
import { packageVersion } from '../../../package.ts';
import { iceServers } from '../../connect.ts';
import { type DirectFlags, directOptions } from './direct.ts';

export interface RunWorkerOptions extends DirectFlags {
  readonly watch: readonly string[];
  readonly readOnlyStore: readonly string[];
  readonly interruptedAfter?: string | undefined;
  readonly signaling: readonly string[];
  readonly port?: number | undefined;
  readonly name?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly safeOnly: boolean;
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

/** Serves until Ctrl+C. */
export async function runWorker(context: Context, options: RunWorkerOptions): Promise<void> {
  const registry = await context.registry();
  const worker = await startWorker({
    registry,
    name: options.name ?? hostname(),
    version: packageVersion(),
    signalingUrls: options.signaling,
    preferredPort: options.port,
    safeOnly: options.safeOnly,
    direct: directOptions(options),
    limits: await agentLimits(context.home),
    engine: options.engine,
    iceServers: iceServers(options.iceServer, context.runtime.env),
    watch: watchOptions(context, options),
    log: context.log,
  });
  try {
    await announce(context, worker, options);
    await Promise.race([untilAborted(context.signal), worker.ended.then(fail)]);
  } finally {
    await worker.close();
  }
}

/** What the worker watches, and how it reports what it finds. */
function watchOptions({ output }: Context, options: RunWorkerOptions): NonNullable<WorkerOptions['watch']> {
  const { interruptedAfter } = options;
  return {
    folders: [...options.watch, ...options.readOnlyStore],
    interruptedAfterMs:
      interruptedAfter === undefined ? INTERRUPTED_AFTER_MS : parseDuration(interruptedAfter, '--interrupted-after'),
    onEvent: (event) => output.note(printable(sentenceOf(event))),
  };
}

function sentenceOf(event: WatchEvent): string {
  const name = formatModel(event);
  if (event.type === 'registered') return `Found ${name} at ${event.path}`;
  if (event.type === 'forgotten') return `${name} is gone from ${event.path}`;
  return `${name} at ${event.path}: ${event.status}`;
}

async function announce(context: Context, worker: RunningWorker, options: RunWorkerOptions): Promise<void> {
  const { output } = context;
  await waitOnline(context, worker);
  const { token, keyId, expiresAt, urls, directPort } = worker;
  if (options.tokenFile !== undefined) await writeFileAtomic(options.tokenFile, `${token}\n`, { mode: 0o600 });
  output.result({ session: token, keyId, expiresAt, urls, directPort }, token);
  const { total } = await (await context.registry()).list({ filters: {}, sort: 'date', limit: 1 });
  output.note(`Serving ${formatCount(total, 'model')} at ${urls.join(' ')}`);
  if (directPort !== undefined)
    output.note(`Clients that can reach this machine connect directly, to port ${directPort} (TLS)`);
  const watched = [...options.watch, ...options.readOnlyStore];
  if (watched.length > 0) output.note(`Watching ${watched.join(', ')}: models found there are registered`);
  output.note(
    `The line above is this worker's session, valid until ${formatTime(expiresAt) || 'it is revoked'}. Anyone who has it can use this worker:`,
  );
  output.note('  model-rtc worker list-models --session SESSION');
  output.note('  model-rtc client pull-model REF --worker SESSION');
  output.note('Ctrl+C stops the worker. After a restart the same session works again.');
}

/** The token is printed once clients can use it; until then, says what the worker is waiting for. */
async function waitOnline(context: Context, worker: RunningWorker): Promise<void> {
  const hint = setTimeout(() => {
    const reason = worker.offlineReason()?.message ?? `${worker.urls.join(' ')} does not answer yet.`;
    context.output.note(`Still waiting for a signaling server: ${reason} Ctrl+C stops.`);
  }, 3000);
  try {
    await Promise.race([worker.online(), untilAborted(context.signal), worker.ended.then(fail)]);
  } finally {
    clearTimeout(hint);
  }
  if (context.signal.aborted) throw new ModelRtcError('cancelled', 'Cancelled before a signaling server answered.');
}

function fail(error: ModelRtcError): never {
  throw error;
}
