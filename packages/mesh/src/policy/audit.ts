import { appendFile, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing, makeFolder, withLock } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import * as z from 'zod';

/** One file; the one before it is kept beside. About 8,000 decisions in both. */
const MAX_AUDIT_BYTES = 1024 * 1024;
const MAX_LINE_CHARS = 4096;
/** Nodes that one entry names. */
const MAX_NODES = 16;

export const AUDIT_EVENTS = ['download', 'consent', 'eviction', 'prefetch', 'priority', 'refusal'] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** One decision about models of this machine. */
export interface AuditEntry {
  readonly event: AuditEvent;
  /** In a sentence without an end: `evicted to make room for 12 GB`. */
  readonly what: string;
  /** The model or node that it is about. */
  readonly about?: string | undefined;
  readonly bytes?: number | undefined;
  /** Who decided: a rule, a setting, a person. */
  readonly by?: string | undefined;
  /** Those that gave the bytes. */
  readonly nodes?: readonly { readonly name: string; readonly bytes: number }[] | undefined;
}

export type AuditRecord = AuditEntry & { readonly at: string };

const recordSchema = z.object({
  at: z.iso.datetime(),
  event: z.enum(AUDIT_EVENTS),
  what: z.string().max(MAX_LINE_CHARS),
  about: z.string().max(1024).optional(),
  bytes: z.number().optional(),
  by: z.string().max(256).optional(),
  nodes: z
    .array(z.object({ name: z.string().max(256), bytes: z.number() }))
    .max(MAX_NODES)
    .optional(),
});

const auditPath = (root: string, number = ''): string => join(root, 'mesh', `audit${number}.jsonl`);

/** Notes decisions, for the owner of the machine. A disk that refuses them stops nothing; the log says so. @param root - the data folder */
export async function noteDecisions(
  root: string,
  entries: readonly AuditEntry[],
  log?: Pick<Log, 'warn'>,
): Promise<void> {
  const at = new Date().toISOString();
  const lines = entries.map((entry) => `${JSON.stringify({ at, ...clipped(entry) })}\n`).join('');
  const path = auditPath(root);
  try {
    await makeFolder(join(root, 'mesh'), 0o700);
    await withLock(`${path}.lock`, { waitMs: 5_000 }, async () => {
      const { size } = (await ignoreMissing(stat(path))) ?? { size: 0 };
      if (size > 0 && size + lines.length > MAX_AUDIT_BYTES) await rename(path, auditPath(root, '.1'));
      await appendFile(path, lines, { mode: 0o600 });
    });
  } catch (error) {
    log?.warn({ path, error }, 'a decision could not be written to the audit log');
  }
}

/** The decisions that are kept, the newest first. Damaged lines are left out. */
export async function readDecisions(root: string): Promise<AuditRecord[]> {
  const texts = await Promise.all(
    ['.1', ''].map(async (number) => (await ignoreMissing(readFile(auditPath(root, number), 'utf8'))) ?? ''),
  );
  return texts
    .flatMap((text) => text.split('\n'))
    .flatMap((line) => parsed(line) ?? [])
    .reverse();
}

function parsed(line: string): AuditRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Names of models and nodes are other machines' words, of any length. */
function clipped(entry: AuditEntry): AuditEntry {
  const { what, about, by, nodes } = entry;
  const named = nodes?.slice(0, MAX_NODES).map(({ name, bytes }) => ({ name: name.slice(0, 256), bytes }));
  return { ...entry, what: what.slice(0, 2048), about: about?.slice(0, 512), by: by?.slice(0, 256), nodes: named };
}
