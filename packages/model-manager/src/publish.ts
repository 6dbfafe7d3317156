import { join } from 'node:path';
import { ModelRtcError, withoutUndefined } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import {
  type ModelVersion,
  openPublishTarget,
  type PruneResult,
  type PublishedFile,
  pruneRegistry,
  publishModel,
} from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { signingOf } from './sign-keys.ts';
import type { PruneRegistryOptions, PublishOptions, PublishResult } from './types.ts';

export async function publish(
  context: ManagerContext,
  ref: string,
  version: ModelVersion,
  options: PublishOptions,
): Promise<PublishResult> {
  const { alias, chunkBytes, metadata = {}, replace, onProgress, signal } = options;
  const { target } = await openPublishTarget(options.to, { ...options.s3, env: context.env });
  const signing = await signingOf(context, options);
  return await context.withRegistry(async (registry) => {
    const { entry } = await registry.resolve(ref, { paths: false });
    const published = await publishModel(target, {
      ...{ ...version, alias, chunkBytes, replace, onProgress, signal, signing },
      ...{ files: await filesOf(registry, entry), described: described(entry), metadata },
    });
    return { ...published, version, to: target.name };
  });
}

export async function pruneTarget(
  { env }: ManagerContext,
  to: string,
  { s3, signal }: PruneRegistryOptions,
): Promise<PruneResult> {
  const { target, store } = await openPublishTarget(to, { ...s3, env });
  return await pruneRegistry(target, store, { signal });
}

async function filesOf(registry: Registry, { digest, localPath, id }: RegistryEntry): Promise<PublishedFile[]> {
  if (digest === undefined) {
    throw new ModelRtcError('busy', `${id} is still being trained: its content changes. Publish it when it has ended.`);
  }
  const { files } = await registry.manifest(digest);
  return files.map((file) => ({ ...file, source: join(localPath, file.path) }));
}

/** What readers see before they fetch it. */
function described({ modelType, license, notes }: RegistryEntry): Record<string, string> {
  return { model_type: modelType, ...withoutUndefined({ license, description: notes }) };
}
