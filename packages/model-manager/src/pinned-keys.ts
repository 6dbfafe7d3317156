import { parsePublicKey } from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { ModelManagerError } from './errors.ts';
import type { PinnedKeys } from './types.ts';

export async function pinnedKeys({ trusted }: ManagerContext): Promise<PinnedKeys[]> {
  const pins = await trusted.pins();
  return [...pins].flatMap(([registry, keys]) => (keys.length === 0 ? [] : [{ registry, keys }]));
}

export async function pinKey(context: ManagerContext, key: string): Promise<PinnedKeys> {
  const registry = context.remote().url;
  await context.trusted.pin(registry, [parsePublicKey(key)]);
  return { registry, keys: await context.trusted.keysOf(registry) };
}

export async function unpinKey(context: ManagerContext, key: string): Promise<PinnedKeys> {
  const registry = context.remote().url;
  const removed = await context.trusted.unpin(registry, [parsePublicKey(key)]);
  if (removed.length === 0) {
    const sentence = `This key is not pinned for ${registry}.`;
    throw new ModelManagerError('model_not_found', 'not_found_locally', sentence, { details: { registry, key } });
  }
  return { registry, keys: await context.trusted.keysOf(registry) };
}
