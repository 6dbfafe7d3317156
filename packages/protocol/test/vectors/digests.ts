import { canonicalFileList, type DigestedFile, modelDigest, sha256Digest } from '../../src/index.ts';

const file = (path: string, text: string): DigestedFile => {
  const bytes = Buffer.from(text);
  return { path, size: bytes.length, sha256: sha256Digest(bytes) };
};

const cases: [string, DigestedFile[]][] = [
  ['one file', [file('model.gguf', 'GGUF')]],
  ['an empty file', [file('empty', '')]],
  [
    'sorted by the bytes of the path',
    [file('b', '2'), file('a/b', '1'), file('a', '0'), file('a-b', '3'), file('B', '4')],
  ],
  [
    'by bytes and not by UTF-16: U+FF61 comes before U+1F42D',
    [file('\u{1f42d}.bin', 'mouse'), file('\uff61.bin', 'stop'), file('caf\u00e9 10:30.txt', 'x')],
  ],
];

export function digestVectors() {
  return {
    description:
      'The digest of a model is the SHA-256 of its canonical file list. `printf %s "$canonical" | sha256sum` gives it.',
    accepted: cases.map(([name, files]) => ({
      name,
      files,
      canonical: canonicalFileList(files),
      digest: modelDigest(files),
    })),
  };
}
