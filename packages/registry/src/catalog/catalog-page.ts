import { stat } from 'node:fs/promises';
import { ignoreMissing, mapLimit } from '@model-rtc/files';
import { CATALOG_VERSION, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { loadIdentity } from '../store/identity-store.ts';
import type { CatalogRow } from './catalog-items.ts';
import { toCatalogModel } from './catalog-model.ts';
import type { Catalog, CatalogItem } from './types.ts';

/** Files looked at on the disk at once. */
const LOOKS_AT_ONCE = 64;

/** @param rows - gives the whole catalog as it is now */
export function createPages(
  context: RegistryContext,
  rows: () => Promise<readonly CatalogRow[]>,
): Catalog['catalogPage'] {
  let poolId: Promise<string> | undefined;
  return async ({ cursor, limit, hardware }) => {
    const all = await rows();
    const start = cursor === undefined ? 0 : startAfter(all, decodeCursor(cursor));
    const page = all.slice(start, start + limit);
    const items = await mapLimit(page, LOOKS_AT_ONCE, async (row) => await toItem(context, row));
    poolId ??= loadIdentity(context.paths.keys).then(({ publicKey }) => Buffer.from(publicKey).toString('hex'));
    const last = page.at(-1);
    return {
      ...{ version: CATALOG_VERSION, pool_id: await poolId, updated_at: await updatedAt(context) },
      models: items.map((item) => toCatalogModel(item, hardware)),
      ...(last !== undefined && start + limit < all.length ? { nextCursor: encodeCursor(last.id) } : {}),
      total: all.length,
    };
  };
}

export async function toItem({ show }: RegistryContext, { id, plan, stored }: CatalogRow): Promise<CatalogItem> {
  return { id, plan, entry: stored === undefined ? undefined : await show(stored) };
}

/** When the registry or the plans were written last. It is not the time of day, so that the same state gives the same catalog. */
async function updatedAt({ paths }: RegistryContext): Promise<string> {
  const files = [paths.registryFile, paths.catalogFile];
  const times = await Promise.all(files.map(async (path) => (await ignoreMissing(stat(path)))?.mtimeMs ?? 0));
  return new Date(Math.floor(Math.max(...times))).toISOString();
}

/** A cursor names the last model of a page, so that pages stay right while models come and go. */
function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** @throws ModelRtcError `bad_argument` */
function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (id !== '' && encodeCursor(id) === cursor) return id;
  throw new ModelRtcError('bad_argument', 'This catalog did not give the cursor. List from the start again.');
}

function startAfter(rows: readonly CatalogRow[], id: string): number {
  const found = rows.findIndex((row) => row.id > id);
  return found === -1 ? rows.length : found;
}
