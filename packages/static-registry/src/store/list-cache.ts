import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { makeFolder, readJson, writeFileAtomic } from '@model-rtc/files';
import * as z from 'zod';

const cachedSchema = z.object({ url: z.string(), etag: z.string().max(1024), text: z.string() });

/** A list of models as it was last read. */
export interface CachedList {
  readonly etag: string;
  readonly text: string;
}

/** Keeps the last list, so that an unchanged one need not come again. */
export interface ListCache {
  read(url: string): Promise<CachedList | undefined>;
  /** A courtesy: it never fails. */
  write(url: string, list: CachedList): Promise<void>;
}

/** Keeps the lists of registries in a folder. You can delete it at any time. */
export function createListCache(folder: string): ListCache {
  const pathOf = (url: string): string => {
    const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
    return join(folder, `${name}.json`);
  };
  return {
    async read(url) {
      const { data } = cachedSchema.safeParse(await readJson(pathOf(url)));
      return data?.url === url ? data : undefined;
    },
    async write(url, { etag, text }) {
      try {
        await makeFolder(folder, 0o700);
        await writeFileAtomic(pathOf(url), JSON.stringify({ url, etag, text }), { mode: 0o600 });
      } catch {
        // Without it the list comes again the next time.
      }
    },
  };
}
