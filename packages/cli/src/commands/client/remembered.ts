import { ModelRtcError } from '@model-rtc/protocol';
import type { Registry, SeenWorker } from '@model-rtc/registry';

/** A shorter start of a key could be that of any worker. */
const LEAST_KEY_CHARS = 6;
/** How much of a worker's key lists show. */
export const SHOWN_KEY_CHARS = 8;

/**
 * The worker that a person means among those that this machine remembers: by the name that it gave itself, or by the start of
 * its key. Nobody needs its session for that.
 *
 * @returns undefined when there is none
 * @throws ModelRtcError `ambiguous` when several have the name
 */
export async function rememberedWorker(registry: Registry, text: string): Promise<SeenWorker | undefined> {
  const all = await registry.seenWorkers();
  const isKey = new RegExp(`^[0-9a-f]{${LEAST_KEY_CHARS},64}$`).test(text);
  const named = all.filter(({ name }) => name === text);
  const found = named.length > 0 || !isKey ? named : all.filter(({ key }) => key.startsWith(text));
  if (found.length < 2) return found[0];
  const keys = found.map(({ key }) => key.slice(0, SHOWN_KEY_CHARS)).join(', ');
  throw new ModelRtcError('ambiguous', `Several workers are called "${text}". Name one by its key: ${keys}.`, {
    details: { candidates: found.map(({ key }) => key) },
  });
}
