import { readFile, rm, stat } from 'node:fs/promises';
import { atStorage, writeFileAtomic } from '@model-rtc/files';
import * as z from 'zod';
import type { FolderReport } from './types.ts';

/** Enough to see what is wrong; a watched disk may hold a million files that are left out. */
const MAX_LEFT_OUT = 1000;
/** A thousand paths of full length for each of some folders. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const KINDS = ['unreadable', 'dangling_link', 'outside', 'incomplete', 'damaged', 'no_links', 'invalid'] as const;

const reportsSchema = z.object({
  version: z.literal(1),
  folders: z.array(
    z.object({
      folder: z.string(),
      lookedAt: z.iso.datetime(),
      models: z.number().int().min(0),
      leftOut: z.array(z.object({ path: z.string(), kind: z.enum(KINDS), reason: z.string() })),
    }),
  ),
});

/** Replaces the notes; no reports leave no file. */
export async function writeReports(path: string, reports: readonly FolderReport[]): Promise<void> {
  if (reports.length === 0) {
    await atStorage(path, 'removed', () => rm(path, { force: true }));
    return;
  }
  const folders = reports.map((report) => ({ ...report, leftOut: report.leftOut.slice(0, MAX_LEFT_OUT) }));
  await atStorage(path, 'written', () =>
    writeFileAtomic(path, JSON.stringify({ version: 1, folders }), { mode: 0o600 }),
  );
}

/** A file that is missing or damaged counts as no reports: the worker writes it again at its next look. */
export async function readReports(path: string): Promise<FolderReport[]> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) return [];
    return reportsSchema.parse(JSON.parse(await readFile(path, 'utf8'))).folders;
  } catch {
    return [];
  }
}
