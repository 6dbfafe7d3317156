import {
  type FoundVersion,
  type ListedVersion,
  type ModelList,
  type ModelVersion,
  registryError,
} from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { asModelError } from './errors.ts';
import { findInstalled, listInstalled } from './installed.ts';
import { isSameVersion, type ModelName, nameText } from './reference.ts';
import type { InstalledModel, RemoteModel, RemoteModelDetail } from './types.ts';

/** What the registry lists, in its order: all of it, a group, or the versions of a model. */
export async function listRemote(
  context: ManagerContext,
  { group, model }: Partial<ModelName>,
  signal: AbortSignal | undefined,
): Promise<RemoteModel[]> {
  const list = await context.remote().list(signal);
  const groups = group === undefined ? list.groups() : [group];
  const found = groups.flatMap((one) =>
    (model === undefined ? list.models(one) : [model]).flatMap((name) => list.versions(one, name)),
  );
  if (found.length === 0 && group !== undefined) throw notListed(list, group, model);
  const installed = await listInstalled(context);
  return found.map((listed) => remoteModel(list, listed, installed));
}

export async function getRemote(
  context: ManagerContext,
  wanted: ModelVersion,
  signal: AbortSignal | undefined,
): Promise<RemoteModel> {
  const list = await context.remote().list(signal);
  const found = list.find(wanted);
  return foundModel(found, await findInstalled(context, found));
}

export async function getRemoteDetail(
  context: ManagerContext,
  wanted: ModelVersion,
  signal: AbortSignal | undefined,
): Promise<RemoteModelDetail> {
  const remote = context.remote();
  const found = (await remote.list(signal)).find(wanted);
  const { contents, totalBytes, chunkBytes, chunks } = await remote.manifest(found.hash, signal);
  const known = contents.digest ?? found.digest;
  return {
    ...foundModel(found, await findInstalled(context, found)),
    ...{ hash: found.hash, digest: known, size: totalBytes, chunkSize: chunkBytes, chunkCount: chunks.length },
    files: contents.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
  };
}

function foundModel(found: FoundVersion, installed: InstalledModel | undefined): RemoteModel {
  const { group, model, version, alias, hash, digest, size, metadata } = found;
  const names = alias === undefined ? { version } : { version: alias, aliasOf: version };
  return { group, model, ...names, hash, digest, size, metadata, installed };
}

function remoteModel(list: ModelList, listed: ListedVersion, installed: readonly InstalledModel[]): RemoteModel {
  const { group, model, version } = listed;
  const found = targetOf(list, listed);
  const here = installed.find((one) => isSameVersion(one, found ?? listed));
  if (found !== undefined) return foundModel(found, here);
  // An alias that leads nowhere is listed, so that its publisher can see it.
  return { group, model, version, ...(listed.kind === 'alias' ? { aliasOf: listed.target } : {}), metadata: {} };
}

function targetOf(list: ModelList, listed: ListedVersion): FoundVersion | undefined {
  try {
    return list.find(listed);
  } catch (error) {
    if (asModelError(error).kind === 'registry_invalid') return undefined;
    throw error;
  }
}

function notListed(list: ModelList, group: string, model: string | undefined): Error {
  const models = list.models(group);
  if (model === undefined || models.length === 0) {
    const groups = list.groups();
    const instead = groups.length === 0 ? 'It is empty.' : `It has: ${groups.slice(0, 10).join(', ')}.`;
    return registryError('group_not_found', `The registry has no group "${group}". ${instead}`, { group });
  }
  const name = nameText({ group, model });
  const sentence = `The registry has no model "${name}". It has: ${models.slice(0, 10).join(', ')}.`;
  return registryError('model_not_found', sentence, { group, model });
}
