import { contentsDigest, type Digest, type ModelContents } from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * The name that a transfer's state is kept under: the model's digest if it is known, else a SHA-256 of everything that is
 * known, so that the same contents resume. No model has that as its digest, since no list of files begins with these words.
 */
export function contentsKey(contents: ModelContents): Digest {
  const digest = contentsDigest(contents);
  if (digest !== undefined) return digest;
  const hash = sha256.create();
  hash.update(utf8ToBytes('model-rtc contents 1\n'));
  // The order of files matters when chunks may span files; otherwise a source may list files in any order.
  const isCut = contents.chunks !== undefined || contents.spans !== undefined;
  for (const line of !isCut ? fileLines(contents).sort() : fileLines(contents)) {
    hash.update(utf8ToBytes(line));
  }
  for (const { digest: chunk = '-', size } of contents.chunks ?? []) hash.update(utf8ToBytes(`${chunk} ${size}\n`));
  for (const { digest: span, size } of contents.spans ?? []) hash.update(utf8ToBytes(`span ${span} ${size}\n`));
  return bytesToHex(hash.digest()) as Digest;
}

function fileLines({ files }: ModelContents): string[] {
  return files.map(({ path, size, sha256: known = '-', gitSha1 = '-' }) => `${known} ${gitSha1} ${size} ${path}\n`);
}
