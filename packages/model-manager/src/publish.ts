import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import {
  createFolderStore,
  createFolderTarget,
  type ModelVersion,
  type PruneResult,
  type PublishedFile,
  pruneRegistry,
  publishModel,
} from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import type { PublishOptions, PublishResult } from './types.ts';

export async function publish(
  { withRegistry }: ManagerContext,
  ref: string,
  version: ModelVersion,
  { to, metadata, ...options }: PublishOptions,
): Promise<PublishResult> {
  const target = createFolderTarget(requireFolder(to));
  return await withRegistry(async (registry) => {
    const { entry } = await registry.resolve(ref, { paths: false });
    const published = await publishModel(target, {
      ...{ ...options, ...version, files: await filesOf(registry, entry) },
      ...{ described: described(entry), metadata: metadata ?? {} },
    });
    return { ...published, version, to: target.name };
  });
}

export async function pruneTarget(to: string, signal: AbortSignal | undefined): Promise<PruneResult> {
  const folder = requireFolder(to);
  return await pruneRegistry(createFolderTarget(folder), createFolderStore(folder), { signal });
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
  return {
    model_type: modelType,
    ...(license === undefined ? {} : { license }),
    ...(notes === undefined ? {} : { description: notes }),
  };
}

function requireFolder(to: string): string {
  if (/^s3:/i.test(to)) {
    throw new ModelRtcError(
      'bad_argument',
      'Publishing to a bucket is not possible yet. Publish to a folder, and copy it to the bucket: data/ first, models.json last.',
    );
  }
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(to)) {
    throw new ModelRtcError('bad_argument', `Cannot publish to "${to}". Name the registry's folder.`);
  }
  return to;
}
