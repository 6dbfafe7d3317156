import type { Params, ResultInput } from '@model-rtc/protocol';
import { assertHere } from './resolve-here.ts';
import type { HandlerContext } from './types.ts';

export async function getManifest(
  { registry, partials }: HandlerContext,
  { digest }: Params<'get_manifest'>,
): Promise<ResultInput<'get_manifest'>> {
  if ((await registry.find(digest)) !== undefined) return { manifest: await registry.manifest(digest) };
  const manifest = await partials.manifest(digest);
  if (manifest !== undefined) return { manifest };
  // What was still fetched a moment ago may be installed now.
  await assertHere(registry, digest);
  return { manifest: await registry.manifest(digest) };
}
