import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { RunningBridge } from '@model-rtc/bridge';
import type { MeshNodes } from '@model-rtc/mesh';
import { ModelRtcError } from '@model-rtc/protocol';
import type { RunningWorker, WatchEvent } from '@model-rtc/worker';
import { defineCommand, textOption, textsOption } from '../../command-line/types.ts';
import { agentLimits } from '../../console/agent-limits.ts';
import type { Context } from '../../console/context.ts';
import { nodeNameIn, variableNames } from '../../console/environment.ts';
import { formatCount, formatModel, formatSome, formatTime, printable } from '../../console/format.ts';
import { parseDuration } from '../../console/quantities.ts';
import { untilAborted } from '../../console/runtime.ts';
import { dataCacheLimits, fetchesPushesFromHub, jobsLimits } from '../../console/settings.ts';
import { storageCap } from '../../console/storage-cap.ts';
import { packageVersion } from '../../package.ts';
import { ownHardware } from '../catalog/own-hardware.ts';
import { iceServers } from '../connect.ts';
import { safeOnlyOption, webRtcOptions } from '../options.ts';
import { directOptions } from './direct.ts';
import { fetchForClients } from './fetch-from-hub.ts';
import { announcedUrl, bridgeLines, bridgePort, httpOptions, ownAddress, startHttpBridge } from './http-bridge.ts';
import { meshLines, openWorkerMesh, workerMeshOptions } from './mesh.ts';
import { startPrefetch } from './prefetch.ts';

export const start = defineCommand({
  usage: 'start',
  isDefault: true,
  describe: "Serve this machine's models, and print the session that clients need",
  options: {
    ...webRtcOptions,
    ...workerMeshOptions,
    'safe-only': {
      ...safeOnlyOption['safe-only'],
      describe: 'Refuse pushed models that run code when they are loaded',
    },
    signaling: textsOption('A signaling server, ws:// or wss://; without one, the worker starts its own'),
    port: {
      type: 'number',
      describe: "The port of the worker's own signaling server [the last one used, else 8787, else a free one]",
    },
    direct: {
      type: 'boolean',
      default: true,
      describe: 'Let clients that can reach this machine connect to it directly; --no-direct forbids it',
    },
    'direct-port': textOption('The port for direct connections; 0 for a free one [0]'),
    advertise: textsOption("HOST:PORT where clients reach the direct port, instead of this machine's addresses"),
    name: textOption("The name that clients see [this machine's name]", { env: variableNames('nodeName') }),
    'token-file': textOption('Write the session to this file, mode 0600, instead of printing it', {
      completes: 'files',
    }),
    watch: textsOption('A folder whose models are registered as they appear, trainings as they progress', {
      completes: 'folders',
    }),
    'read-only-store': textsOption(
      "Another tool's folder whose models are served in place: a Hugging Face cache, ollama's or LM Studio's models, a folder of weights",
      { completes: 'folders' },
    ),
    'from-hub': {
      choices: ['auto', 'off'],
      describe:
        'Let models that clients push be fetched from the hub in part, where they come from there; auto also fetches registered models that clients ask for [the setting hub.pushes]',
    },
    'without-links': {
      choices: ['copy', 'in-place'],
      describe:
        'Where the data folder can have no symbolic links: copy found models, or read them in place [leave them out]',
    },
    ...httpOptions,
    'interrupted-after': textOption('How long a training may write nothing before it counts as interrupted [10m]'),
    'max-reconnect-time': textOption('End when no signaling server answered for so long [never]'),
  },
  examples: [
    ['$0 worker', 'serve, with a signaling server of its own'],
    ['$0 worker --signaling wss://signal.lab.example --token-file session.txt', 'use a shared signaling server'],
    ['$0 worker --direct-port 7000 --advertise gpu.lab.example:7000', 'behind a router that forwards a port'],
    ['$0 worker --http-port 14345', 'also over HTTP: for curl, the Hugging Face libraries, ollama'],
    ['$0 worker --watch runs --read-only-store ~/.cache/huggingface', 'also serve the models found there'],
  ],
  /** Serves until Ctrl+C. */
  async run(context, options) {
    const { watch, readOnlyStore, interruptedAfter, tokenFile, withoutLinks } = options;
    const { startWorker } = await import('@model-rtc/worker');
    const { output, log, signal } = context;
    const name = options.name ?? (await nodeNameIn(context.runtime.env)) ?? hostname();
    const folders = [...watch, ...readOnlyStore];
    const httpPort = bridgePort(options, context.runtime.env);
    const mesh = await openWorkerMesh(context, options, name);
    await using worker = await startWorker({
      registry: await context.registry(),
      name,
      version: packageVersion(),
      signalingUrls: options.signaling,
      preferredPort: options.port,
      safeOnly: options.safeOnly,
      direct: directOptions(options),
      limits: await agentLimits(context.home),
      storage: await storageCap(context),
      hub: await hubForPushes(context, options.fromHub),
      jobs: {
        env: context.runtime.env,
        limits: await jobsLimits(context.home),
        data: await dataCacheLimits(context.home),
      },
      hardware: await ownHardware(context),
      fetchFromHub:
        options.fromHub === 'auto' ? fetchForClients(context, await context.registry(), options.safeOnly) : undefined,
      engine: options.engine,
      iceServers: iceServers(options.iceServer, context.runtime.env),
      watch: {
        folders,
        withoutLinks,
        interruptedAfterMs:
          interruptedAfter === undefined ? undefined : parseDuration(interruptedAfter, '--interrupted-after'),
        onEvent: (event) => output.note(printable(eventText(event))),
      },
      mesh,
      maxReconnectMs:
        options.maxReconnectTime === undefined
          ? undefined
          : parseDuration(options.maxReconnectTime, '--max-reconnect-time'),
      log,
    });
    await using bridge = await startHttpBridge(context, options, httpPort);
    if (bridge !== undefined) mesh?.announceBridge(announcedUrl(bridge, await ownAddress()));
    await using _prefetching = await startPrefetch(context, options);
    await waitOnline(context, worker);
    await announce(context, worker, { folders, tokenFile, mesh, bridge, httpTokenFile: options.httpTokenFile });
    await Promise.race([untilAborted(signal), worker.ended.then(fail)]);
    output.note('Stopping: clients are told, and what they were sending is kept.');
  },
});

/** Clients decide what is fetched, so it is fetched without this machine's access token. */
async function hubForPushes({ runtime, home }: Context, fromHub: 'auto' | 'off' | undefined) {
  const isOn = fromHub === undefined ? await fetchesPushesFromHub(home) : fromHub === 'auto';
  if (!isOn) return undefined;
  const { openHub } = await import('@model-rtc/hub');
  const hub = openHub({ env: runtime.env, isAnonymous: true });
  return hub.isOffline ? undefined : hub;
}

function eventText(event: WatchEvent): string {
  if (event.type === 'looked') return folderText(event);
  const name = formatModel(event);
  if (event.type === 'registered') return `Found ${name} at ${event.path}`;
  if (event.type === 'forgotten') return `${name} is gone from ${event.path}`;
  return `${name} at ${event.path}: ${event.status}`;
}

function folderText({ folder, models, leftOut, open }: Extract<WatchEvent, { type: 'looked' }>): string {
  const reading = open === 0 ? '' : `, ${open} still being read`;
  const hint = leftOut === 0 ? '' : ': see model-rtc client list-models --problems';
  return `${folder} gave ${formatCount(models, 'model')}${reading}; ${leftOut} left out${hint}`;
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

interface Announced {
  readonly folders: readonly string[];
  readonly tokenFile: string | undefined;
  readonly mesh: MeshNodes | undefined;
  readonly bridge: RunningBridge | undefined;
  readonly httpTokenFile: string | undefined;
}

/** What clients may run here. A damaged file of runners keeps no worker from serving models. */
async function runnersLine(worker: RunningWorker): Promise<string | undefined> {
  try {
    const runners = (await worker.runners()).filter(({ usable }) => usable).map(({ name }) => name);
    if (runners.length === 0) return undefined;
    const named = formatSome(runners, MAX_NAMED_RUNNERS);
    return `Sessions with the scope track may run models here with ${named}: see model-rtc worker runners list`;
  } catch (error) {
    return `Nobody can run models here: ${ModelRtcError.from(error).message}`;
  }
}

async function announce(context: Context, worker: RunningWorker, announced: Announced): Promise<void> {
  const { output } = context;
  const { folders, tokenFile, mesh, bridge, httpTokenFile } = announced;
  const httpUrl = bridge?.url;
  const { token, keyId, expiresAt, urls, directPort } = worker;
  const validity = `valid until ${formatTime(expiresAt) || 'it is revoked'}. Anyone who has it can use this worker:`;
  if (tokenFile === undefined) output.result({ session: token, keyId, expiresAt, urls, directPort, httpUrl }, token);
  else {
    const { writeFileAtomic } = await import('@model-rtc/files');
    await writeFileAtomic(tokenFile, `${token}\n`, { mode: 0o600 });
    // Standard output often goes to a log that more people can read.
    output.result({ tokenFile: resolve(tokenFile), keyId, expiresAt, urls, directPort, httpUrl }, '');
  }
  const { total } = await (await context.registry()).list({ filters: {}, sort: 'date', limit: 1 });
  output.note(`Serving ${formatCount(total, 'model')} at ${urls.join(' ')}`);
  if (urls.every(isOnlyHere)) output.note(ONLY_HERE);
  if (directPort !== undefined)
    output.note(`Clients that can reach this machine connect directly, to port ${directPort} (TLS)`);
  if (folders.length > 0) output.note(`Watching ${folders.join(', ')}: models found there are registered`);
  for (const line of meshLines(mesh)) output.note(line);
  const runners = await runnersLine(worker);
  if (runners !== undefined) output.note(runners);
  const session = tokenFile === undefined ? 'SESSION' : `@${tokenFile}`;
  if (tokenFile === undefined) output.note(`The line above is this worker's session, ${validity}`);
  else output.note(`This worker's session is in ${tokenFile}, ${validity}`);
  output.note(`  model-rtc worker list-models --session ${session}`);
  output.note(`  model-rtc client pull-model REF --worker ${session}`);
  if (bridge !== undefined) for (const line of bridgeLines(bridge, httpTokenFile)) output.note(line);
  output.note('Ctrl+C stops the worker. After a restart the same session works again.');
}

const MAX_NAMED_RUNNERS = 8;

const ONLY_HERE =
  'Only clients on this machine can reach this worker: its addresses are loopback and link-local ones. Connect the machine to a network and start the worker again, or pass --signaling URL.';

/** Whether a signaling address means nothing to other machines. */
export function isOnlyHere(url: string): boolean {
  const { hostname: host } = new URL(url);
  return host === 'localhost' || /^127\.|^169\.254\.|^\[::1\]$|^\[fe[89ab]/i.test(host);
}

function fail(error: ModelRtcError): never {
  throw error;
}
