import { digestSchema, MAX_FILES, ModelRtcError, modelPathProblem } from '@model-rtc/protocol';
import * as z from 'zod';
import type { HubFile } from '../types.ts';

const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const entrySchema = z.object({
  type: z.string(),
  path: z.string().min(1).max(4096),
  size,
  oid: sha1.optional().catch(undefined),
  lfs: z
    .object({
      oid: z.preprocess((oid) => (typeof oid === 'string' ? oid.replace(/^sha256:/, '') : oid), digestSchema),
      size,
    })
    .optional(),
  xetHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .catch(undefined),
});

/**
 * The files of a hub's list, sorted by path.
 * @throws ModelRtcError `invalid_model` for a list that is none, or has a path that no file may be written to
 */
export async function readTree(entries: AsyncIterable<unknown>, repo: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for await (const entry of entries) {
    const parsed = entrySchema.safeParse(entry);
    if (!parsed.success) throw badList(repo, 'it has an entry that is no file or folder');
    if (parsed.data.type !== 'file') continue;
    if (files.length === MAX_FILES) throw badList(repo, `it has more than ${MAX_FILES} files`);
    files.push(fileOf(parsed.data, repo));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function fileOf({ path, size, oid, lfs, xetHash }: z.infer<typeof entrySchema>, repo: string): HubFile {
  const problem = modelPathProblem(path);
  if (problem !== undefined) throw badList(repo, `its path ${problem}`);
  if (lfs === undefined && oid === undefined) throw badList(repo, `${JSON.stringify(path)} has no hash`);
  return {
    path,
    ...(lfs === undefined ? { size, gitSha1: oid } : { size: lfs.size, sha256: lfs.oid }),
    ...(xetHash === undefined ? {} : { xetHash }),
  };
}

function badList(repo: string, why: string): ModelRtcError {
  return new ModelRtcError(
    'invalid_model',
    `The hub's list of the files of ${repo} cannot be used: ${why}. Nothing was fetched.`,
  );
}
