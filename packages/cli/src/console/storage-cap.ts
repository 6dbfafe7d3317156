import type { OccasionalNotes } from '@model-rtc/mesh';
import { formatBytes } from '@model-rtc/protocol';
import type { EvictedModel, ImportOptions, Registry } from '@model-rtc/registry';
import type { StorageCap } from '@model-rtc/transfer';
import type { Context } from './context.ts';
import { formatTime } from './format.ts';
import { Settings } from './settings.ts';

type CapContext = Pick<Context, 'home' | 'output' | 'log'>;

/**
 * How much room the models of this machine may take, as far as it is set. A person is told what made room; that, and what was refused, is
 * noted for the audit.
 */
export async function storageCap({ home, output, log }: CapContext): Promise<StorageCap | undefined> {
  const capBytes = (await Settings.open(home)).get('storage.cap').amount;
  if (capBytes === undefined) return undefined;
  const by = 'storage.cap';
  // Whoever pushes a model that has no room may push it again and again.
  let refusals: OccasionalNotes | undefined;
  return {
    capBytes,
    async onEvicted(models) {
      for (const model of models)
        output.note(`Removed ${evictedText(model)} to make room: storage.cap is ${formatBytes(capBytes)}.`);
      const entries = models.map(({ id, digest, bytes, lastUsedAt }) => ({
        ...({ event: 'eviction', about: digest ?? id, bytes, by } as const),
        what: `removed ${id}, last used ${lastUsedAt}, to make room`,
      }));
      const { noteDecisions } = await import('@model-rtc/mesh');
      await noteDecisions(home, entries, log);
    },
    async onRefused({ name, digest, bytes }, { message }) {
      const mesh = await import('@model-rtc/mesh');
      refusals ??= new mesh.OccasionalNotes(home, log);
      await refusals.note({
        event: 'refusal',
        what: `no room for ${name}: ${message}`,
        about: digest ?? name,
        bytes,
        by,
      });
    },
  };
}

/** What an import does before it copies files; undefined where it has all the room that it needs. */
export async function importRoom(
  context: CapContext,
  registry: Registry,
  name: string,
): Promise<ImportOptions['makeRoom']> {
  const cap = await storageCap(context);
  if (cap === undefined) return undefined;
  return async (coming) => {
    const { makeRoomFor } = await import('@model-rtc/transfer');
    await makeRoomFor({ registry, cap, coming: { name, ...coming } });
  };
}

export function evictedText({ id, modelType, bytes, lastUsedAt }: EvictedModel): string {
  return `${id} (${modelType}, ${formatBytes(bytes)}, last used ${formatTime(lastUsedAt)})`;
}
