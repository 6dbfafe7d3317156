import { formatBytes } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { StagedTransfer } from '@model-rtc/transfer';
import type { FoundWorker, SessionSummary, WorkerStatus } from '@model-rtc/worker';
import { defineCommand } from '../../command-line/types.ts';
import { formatCount, formatDuration, formatTime, printable } from '../../console/format.ts';
import { laneKindsText } from '../../console/lanes-text.ts';
import { openSessions } from './sessions.ts';

export const status = defineCommand({
  usage: 'status',
  describe: 'Show the worker that runs on this machine: its sessions, clients, transfers and models',
  examples: [
    ['$0 worker status', 'whether it runs and is reachable, and who is connected'],
    ['$0 worker status --json', 'for a script; exit code 4 when no worker runs'],
  ],
  async run(context) {
    const { readWorkerStatus } = await import('@model-rtc/worker');
    const { stagedTransfers } = await import('@model-rtc/transfer');
    const registry = await context.registry();
    const found = await readWorkerStatus(registry.paths.root);
    const sessions = (await openSessions(context)).list().filter((session) => session.status === 'active');
    const transfers = (await stagedTransfers(registry.paths.staging)).filter(({ isRunning }) => isRunning);
    const models = await countModels(registry);
    const shown = { dataFolder: registry.paths.root, found, sessions, transfers, models };
    const { takenAt } = found.process;
    const uptimeMs = takenAt === undefined ? undefined : Date.now() - Date.parse(takenAt);
    const receiving = transfers.map(({ model, bytes }) => ({ model, bytes }));
    context.output.result(
      { dataFolder: shown.dataFolder, ...found.process, uptimeMs, ...found.status, sessions, receiving, models },
      statusText(shown, uptimeMs),
    );
  },
});

interface ModelCounts {
  readonly total: number;
  /** Those that were found in watched folders and stores. */
  readonly byFolder: Readonly<Record<string, number>>;
}

export interface ShownStatus {
  readonly dataFolder: string;
  readonly found: FoundWorker;
  readonly sessions: readonly SessionSummary[];
  /** Models that are arriving now. */
  readonly transfers: readonly Pick<StagedTransfer, 'model' | 'bytes'>[];
  readonly models: ModelCounts;
}

async function countModels(registry: Registry): Promise<ModelCounts> {
  const { total } = await registry.list({ filters: {}, sort: 'date', limit: 1 });
  const byFolder: Record<string, number> = {};
  for (const { foundIn } of await registry.listFound()) {
    if (foundIn !== undefined) byFolder[foundIn] = (byFolder[foundIn] ?? 0) + 1;
  }
  return { total, byFolder };
}

/** @param uptimeMs - undefined when its start is not known */
export function statusText({ dataFolder, found, ...shown }: ShownStatus, uptimeMs: number | undefined): string {
  const { pid, host } = found.process;
  const { status: told } = found;
  const name = told === undefined ? 'The worker' : `${told.name} (model-rtc ${told.version})`;
  const since = uptimeMs === undefined ? '' : `, for ${formatDuration(uptimeMs)}`;
  const facts: [what: string, fact: string][] = [
    ['data folder', dataFolder],
    ...shown.sessions.map(sessionFact),
    ...(told === undefined ? [] : networkFacts(told)),
    ['models', modelsText(shown.models)],
    ...dataFacts(told),
    ...(told === undefined ? [] : clientFacts(told)),
    ...shown.transfers.map(({ model, bytes }): [string, string] => [
      'receiving',
      `${model.slice(0, 8)}, ${formatBytes(bytes)} so far`,
    ]),
  ];
  const lines = facts.map(([what, fact]) => `  ${what.padEnd(12)} ${printable(fact)}`);
  const missing = told === undefined ? ['  It is starting, or its version says no more about itself.'] : [];
  return [printable(`${name} runs as process ${pid} on ${host}${since}`), ...lines, ...missing].join('\n');
}

function sessionFact({ name, keyId, scopes, expiresAt }: SessionSummary): [string, string] {
  const validity = expiresAt === undefined ? 'until it is revoked' : `until ${formatTime(expiresAt)}`;
  return ['session', `${name} (${keyId}), ${scopes.join(',')}, ${validity}`];
}

function networkFacts({ urls, directPort, signaling }: WorkerStatus): [string, string][] {
  return [
    ['addresses', urls.join(' ')],
    ...signaling.map(({ url, state, reason }): [string, string] => [
      'signaling',
      reason === undefined ? `${url} ${state}` : `${url} ${state}: ${reason}`,
    ]),
    ['direct', directPort === undefined ? 'off' : `port ${directPort}`],
  ];
}

function clientFacts({ clients }: WorkerStatus): [string, string][] {
  if (clients.length === 0) return [['clients', 'none']];
  return clients.map(({ name, lanes }): [string, string] => {
    const sum = (key: 'sentBytes' | 'receivedBytes'): string =>
      formatBytes(lanes.reduce((total, lane) => total + lane[key], 0));
    const over = laneKindsText(lanes.map(({ kind, engine }) => ({ kind, engine })));
    return ['client', `${name} over ${over || 'no lane'}: ${sum('sentBytes')} sent, ${sum('receivedBytes')} received`];
  });
}

/** The data that is kept for jobs; nothing is said of it before there is any. */
function dataFacts(told: WorkerStatus | undefined): [string, string][] {
  const data = told?.data;
  if (data === undefined || data.sets === 0) return [];
  const { sets, bytes, maxBytes } = data;
  return [['data', `${formatCount(sets, 'set')} for jobs, ${formatBytes(bytes)} of at most ${formatBytes(maxBytes)}`]];
}

function modelsText({ total, byFolder }: ModelCounts): string {
  const folders = Object.entries(byFolder).map(([folder, count]) => `${count} in ${folder}`);
  return [formatCount(total, 'model'), ...folders].join(', ');
}
