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
  // It may have been installed since the first look.
  await assertHere(registry, digest);
  return { manifest: await registry.manifest(digest) };
}
