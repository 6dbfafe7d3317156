import { manifestDigest, type Params, type ResultInput } from '@model-rtc/protocol';
import { planTransfer } from '@model-rtc/transfer';
import type { WorkerServices } from './worker-services.ts';

/** What a push of this manifest would move. Nothing is stored. */
export async function planPush(
  { registry }: Pick<WorkerServices, 'registry'>,
  { manifest }: Params<'plan_push'>,
): Promise<ResultInput<'plan_push'>> {
  const digest = manifestDigest(manifest);
  const isHere = (await registry.find(digest)) !== undefined && (await registry.check(digest)).valid;
  const plan = await planTransfer({ manifest, digest, staging: registry.paths.staging, local: registry });
  if (isHere) return { transferBytes: 0, reusedBytes: plan.totalBytes, resumedBytes: 0, exists: true };
  const { transferBytes, reusedBytes, resumedBytes } = plan;
  return { transferBytes, reusedBytes, resumedBytes, exists: false };
}
