import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, removeTemporaries, withLock, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError, parseJson, scopeSchema } from '@model-rtc/protocol';
import * as z from 'zod';

const SESSIONS_VERSION = 1;
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const timeSchema = z.iso.datetime();

export const sessionRecordSchema = z.object({
  keyId: hex(8),
  secret: hex(16),
  /** `default` is the one that `model-rtc worker` prints. */
  name: z.string().min(1).max(64),
  scopes: z.array(scopeSchema).min(1),
  createdAt: timeSchema,
  expiresAt: timeSchema.optional(),
  /** Revoked sessions are kept, so that their holders can be told. */
  revokedAt: timeSchema.optional(),
});
export type SessionRecord = z.infer<typeof sessionRecordSchema>;

const sessionFileSchema = z.object({
  version: z.literal(SESSIONS_VERSION),
  sessions: z.array(sessionRecordSchema),
  /** The worker's last addresses, for tokens that are issued while it is not running. */
  urls: z.array(z.string()).default([]),
  /** The embedded signaling server's last port, which it tries first, so that issued tokens stay valid. */
  embeddedPort: z.number().int().min(1).max(65_535).optional(),
});
export type SessionFile = z.infer<typeof sessionFileSchema>;

const EMPTY: SessionFile = { version: SESSIONS_VERSION, sessions: [], urls: [] };

export function sessionFilePath(keysFolder: string): string {
  return join(keysFolder, 'sessions.json');
}

/**
 * Reads the list. Synchronously: it is small, and a request must not be answered before its session is checked.
 * @throws ModelRtcError `storage` when the file is there but cannot be understood: it is never replaced silently.
 */
export function readSessionFile(keysFolder: string): SessionFile {
  const path = sessionFilePath(keysFolder);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return EMPTY;
    throw ModelRtcError.because(
      error,
      'storage',
      `The list of sessions ${path} cannot be read; check its permissions.`,
    );
  }
  const parsed = sessionFileSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw ModelRtcError.because(
    parsed.error,
    'storage',
    `The list of sessions ${path} is damaged, or a newer version wrote it. Restore it, or move it away.`,
  );
}

/** Changes the list of sessions under a lock between processes; what `change` returns is written, mode 0600. */
export async function updateSessionFile<T>(
  keysFolder: string,
  change: (file: SessionFile) => { file: SessionFile; result: T },
): Promise<T> {
  const path = sessionFilePath(keysFolder);
  return await withLock(`${path}.lock`, {}, async () => {
    // They hold secrets.
    await removeTemporaries(path);
    const { file, result } = change(readSessionFile(keysFolder));
    await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
    return result;
  });
}
