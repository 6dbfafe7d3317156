import { wholeModels } from './list-models.ts';
import { remembered } from './remembered.ts';
import { resolveAtWorker, type WorkerModelInfo } from './resolve-at-worker.ts';
import type { WorkerServices } from './worker-services.ts';

/** What the worker knows of a model, named as there or else as here; that it has it is remembered. */
export async function modelInfo(
  services: WorkerServices,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<WorkerModelInfo> {
  const { link, registry, known } = services;
  const peer = await link.peer(signal);
  const info = await resolveAtWorker(registry, ref, (asked) =>
    peer.request('get_model_info', { ref: asked }, { signal }),
  );
  await remembered(services, () => registry.recordSeen(known, wholeModels([info.entry])));
  return info;
}
