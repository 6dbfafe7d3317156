import { namedLikeCode, refuseCode } from '@model-rtc/formats';
import { manifestDigest, type Params, type ResultInput } from '@model-rtc/protocol';
import { planTransfer } from '@model-rtc/transfer';
import type { HandlerOptions } from './types.ts';

/**
 * Says what a push of this manifest would transfer. Nothing is stored.
 *
 * @throws ModelRtcError `refused` when the push would be refused for the names of its files
 */
export async function planPush(
  { registry, safeOnly }: Pick<HandlerOptions, 'registry' | 'safeOnly'>,
  { manifest }: Params<'plan_push'>,
): Promise<ResultInput<'plan_push'>> {
  const digest = manifestDigest(manifest);
  const here = await registry.find(digest);
  const isHere = here !== undefined && (await registry.check(digest)).valid;
  if (safeOnly) refuseCode((isHere ? here.codeFiles : undefined) ?? namedLikeCode(manifest));
  const plan = await planTransfer({
    contents: { ...manifest, digest },
    staging: registry.paths.staging,
    local: registry,
  });
  if (isHere) return { transferBytes: 0, reusedBytes: plan.totalBytes, resumedBytes: 0, exists: true };
  const { transferBytes, reusedBytes, resumedBytes } = plan;
  return { transferBytes, reusedBytes, resumedBytes, exists: false };
}
