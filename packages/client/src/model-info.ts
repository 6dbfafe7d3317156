import type { Result } from '@model-rtc/protocol';
import { remembered } from './remembered.ts';
import type { WorkerServices } from './worker-services.ts';

/** What the worker knows of a model; that it has it is remembered. */
export async function modelInfo(
  services: WorkerServices,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<Result<'get_model_info'>> {
  const { link, registry, known } = services;
  const peer = await link.peer(signal);
  const info = await peer.request('get_model_info', { ref }, { signal });
  await remembered(services, () => registry.recordSeen(known, [info.entry]));
  return info;
}
