import { SavedWorkers } from '@model-rtc/client';
import { encodeSessionToken } from '@model-rtc/protocol';
import type { Context } from '../console/context.ts';
import { formatTime } from '../console/format.ts';
import { renderTable } from '../console/table.ts';
import { sessionToken } from '../console/worker-session.ts';

export async function addWorker(context: Context, name: string, session: string | undefined): Promise<void> {
  const token = await sessionToken(context, session);
  (await SavedWorkers.open(context.home)).add(name, encodeSessionToken(token));
  context.output.result({ name }, `Kept as "${name}". Try: model-rtc worker list-models --session ${name}`);
}

export async function listWorkers(context: Context): Promise<void> {
  const workers = (await SavedWorkers.open(context.home)).list();
  if (workers.length === 0)
    context.output.note('No sessions are kept. Keep one: model-rtc client workers add NAME SESSION');
  const text = renderTable(
    workers,
    [
      { title: 'NAME', value: (worker) => worker.name },
      { title: 'SCOPES', value: (worker) => worker.scopes.join(',') },
      { title: 'EXPIRES', value: (worker) => formatTime(worker.expiresAt) || 'never' },
      { title: 'KEY ID', value: (worker) => worker.keyId, optional: 2 },
      { title: 'ADDRESSES', value: (worker) => worker.urls.join(' '), optional: 1 },
    ],
    context.output.columns,
  );
  context.output.result({ workers }, workers.length === 0 ? '' : text);
}

export async function removeWorker(context: Context, name: string): Promise<void> {
  (await SavedWorkers.open(context.home)).remove(name);
  context.output.result({ name }, `Forgot "${name}".`);
}
