import { type Digest, type Manifest, ModelRtcError, modelDigest } from '@model-rtc/protocol';
import type { Layout } from './layout.ts';

/**
 * The files of a model that came whole, with the SHA-256 of each.
 *
 * @param found - by number, the SHA-256 of the files that have none in the layout
 * @throws ModelRtcError `verification_failed` when the files have another digest than the layout's
 */
export function verifiedFiles(layout: Layout, found: ReadonlyMap<number, Digest>): Manifest['files'] {
  const files = layout.files.map(({ path, size, sha256, mode }, i) => ({
    path,
    size,
    sha256: (sha256 ?? found.get(i)) as Digest,
    ...(mode === undefined ? {} : { mode }),
  }));
  // The layout was checked against its digest if all hashes were known from the start.
  if (found.size === 0 || layout.digest === undefined || modelDigest(files) === layout.digest) return files;
  throw new ModelRtcError(
    'verification_failed',
    'The files that came do not have the digest that was asked for. Nothing was installed. Check the model at its source, or use another source.',
    { details: { digest: layout.digest } },
  );
}
