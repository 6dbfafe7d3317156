import { formatBytes } from '@model-rtc/protocol';
import type { EvictedModel } from '@model-rtc/registry';
import type { StorageCap } from '@model-rtc/transfer';
import { formatTime } from './format.ts';
import { Settings } from './settings.ts';

/**
 * How much room the models of this machine may take, as far as it is set.
 * @param tell - shows a person what made room
 */
export async function storageCap(home: string, tell: (text: string) => void): Promise<StorageCap | undefined> {
  const capBytes = (await Settings.open(home)).get('storage.cap').amount;
  if (capBytes === undefined) return undefined;
  const onEvicted = (models: readonly EvictedModel[]): void => {
    for (const model of models)
      tell(`Removed ${evictedText(model)} to make room: storage.cap is ${formatBytes(capBytes)}.`);
    const entries = models.map((model) => ({
      ...({ event: 'eviction', about: model.digest ?? model.id, bytes: model.bytes, by: 'storage.cap' } as const),
      what: `removed ${model.id}, last used ${model.lastUsedAt}, to make room`,
    }));
    void import('@model-rtc/mesh').then(({ noteDecisions }) => noteDecisions(home, entries));
  };
  return { capBytes, onEvicted };
}

export function evictedText({ id, modelType, bytes, lastUsedAt }: EvictedModel): string {
  return `${id} (${modelType}, ${formatBytes(bytes)}, last used ${formatTime(lastUsedAt)})`;
}
