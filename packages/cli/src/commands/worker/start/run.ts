import { hostname } from 'node:os';
import { writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { EngineChoice } from '@model-rtc/transport';
import { type RunningWorker, startWorker } from '@model-rtc/worker';
import type { Context } from '../../../console/context.ts';
import { formatTime } from '../../../console/format.ts';
import { untilAborted } from '../../../console/runtime.ts';
import { agentLimits } from '../../../console/settings.ts';
import { packageVersion } from '../../../package.ts';
import { iceServers } from '../../connect.ts';
import { directOptions } from './direct.ts';
import { type WatchFlags, watchOptions } from './watch.ts';

export interface RunWorkerOptions extends WatchFlags {
  readonly signaling: readonly string[];
  readonly port?: number | undefined;
  readonly name?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly safeOnly: boolean;
  readonly direct: boolean;
  readonly directPort?: string | undefined;
  readonly advertise: readonly string[];
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

/** Serves until Ctrl+C, which is its ordinary end. */
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

async function announce(context: Context, worker: RunningWorker, options: RunWorkerOptions): Promise<void> {
  const { output } = context;
  await waitOnline(context, worker);
  const { token, keyId, expiresAt, urls, directPort } = worker;
  if (options.tokenFile !== undefined) await writeFileAtomic(options.tokenFile, `${token}\n`, { mode: 0o600 });
  output.result({ session: token, keyId, expiresAt, urls, directPort }, token);
  const { total } = await (await context.registry()).list({ filters: {}, sort: 'date', limit: 1 });
  output.note(`Serving ${total} ${total === 1 ? 'model' : 'models'} at ${urls.join(' ')}`);
  if (directPort !== undefined)
    output.note(`Clients that reach this machine connect directly to port ${directPort} (TLS)`);
  const watched = [...options.watch, ...options.readOnlyStore];
  if (watched.length > 0) output.note(`Watching ${watched.join(', ')}: what is found there is registered as it comes`);
  output.note(
    `The line above is this worker's session, good until ${formatTime(expiresAt) || 'it is revoked'}. Whoever has it can use this worker:`,
  );
  output.note('  model-rtc worker list-models --session SESSION');
  output.note('  model-rtc client pull-model REF --worker SESSION');
  output.note('Ctrl+C stops the worker; the same session works when it is started again.');
}

/** The token is printed once someone can use it; until then the person is told what is waited for. */
async function waitOnline(context: Context, worker: RunningWorker): Promise<void> {
  const hint = setTimeout(() => {
    const reason = worker.offlineReason()?.message ?? `${worker.urls.join(' ')} does not answer yet.`;
    context.output.note(`Still waiting for a signaling server: ${reason} Ctrl+C gives up.`);
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
