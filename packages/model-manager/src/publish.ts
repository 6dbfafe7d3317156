import { join } from 'node:path';
import { givenName, ModelRtcError, withoutUndefined } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import {
  type ModelVersion,
  openPublishTarget,
  type PruneResult,
  type PublishedFile,
  type PublishOptions as PublishModelOptions,
  pruneRegistry,
  publishModel,
} from '@model-rtc/static-registry';
import { limitTransfer, RateMeter, trackTransfer } from '@model-rtc/transfer';
import type { ManagerContext } from './context.ts';
import { signingOf } from './sign-keys.ts';
import type { PruneRegistryOptions, PublishOptions, PublishResult } from './types.ts';

export async function publish(
  context: ManagerContext,
  ref: string,
  version: ModelVersion,
  options: PublishOptions,
): Promise<PublishResult> {
  const { alias, chunkBytes, metadata = {}, replace } = options;
  const { target } = await openPublishTarget(options.to, { ...options.s3, env: context.env });
  const signing = await signingOf(context, options);
  return await context.withRegistry(async (registry) => {
    const { entry } = await registry.resolve(ref, { paths: false });
    const files = await filesOf(registry, entry);
    const published = await tracked(context, { registry, entry, to: target.name }, options, (controls) =>
      publishModel(target, {
        ...{ ...version, alias, chunkBytes, replace, signing, ...controls },
        ...{ files, described: described(entry), metadata },
      }),
    );
    return { ...published, version, to: target.name };
  });
}

interface Published {
  readonly registry: Registry;
  readonly entry: RegistryEntry;
  readonly to: string;
}

/** Publishes so that any process of this machine sees how far it is, and can cancel it. */
async function tracked<T>(
  { clock, limits, log }: ManagerContext,
  { registry, entry, to }: Published,
  { priority, signal, onProgress }: PublishOptions,
  work: (controls: Pick<PublishModelOptions, 'signal' | 'limiter' | 'onProgress'>) => Promise<T>,
): Promise<T> {
  const { digest, id, size } = entry;
  const about = { kind: 'publish', name: givenName(entry) ?? id, digest, peers: [to], priority } as const;
  const tracking = { folder: registry.paths.transfers, about, signal, log, clock };
  return await trackTransfer(tracking, async (transfer) => {
    const rate = new RateMeter(clock.nowMs());
    return await work({
      signal: transfer.signal,
      limiter: limitTransfer(transfer, limits.up, limits.bySize, size),
      onProgress: (progress) => {
        const { totalBytes, doneBytes, reusedBytes } = progress;
        const bytesPerSecond = rate.bytesPerSecond(doneBytes - reusedBytes, clock.nowMs());
        transfer.note({ state: 'transferring', totalBytes, doneBytes, bytesPerSecond });
        onProgress?.(progress);
      },
    });
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
