import * as z from 'zod';

/** The rules of a path one by one, as docs/protocol.md has them. */
function pathProblem(path: string): string | undefined {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  if (path === '') return 'a path is empty';
  if (bytes(path) > 3072) return 'a path is longer than 3072 bytes';
  if (/\p{Surrogate}/u.test(path)) return 'a path is not valid Unicode';
  const quoted = JSON.stringify(path);
  if (path !== path.normalize('NFC')) return `${quoted} is not in Unicode NFC`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are just what is refused
  if (/[\u0000-\u001f\u007f]/.test(path)) return `${quoted} has a control character`;
  if (path.includes('\\')) return `${quoted} has a backslash`;
  if (path.startsWith('/')) return `${quoted} is absolute`;
  if (/^[A-Za-z]:(\/|$)/.test(path)) return `${quoted} has a drive letter`;
  for (const name of path.split('/')) {
    if (name === '') return `${quoted} has an empty name`;
    if (name === '.' || name === '..') return `${quoted} has "${name}" in it`;
    if (bytes(name) > 255) return 'a name is longer than 255 bytes';
    if (/^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i.test(name))
      return `${quoted} has the reserved device name ${JSON.stringify(name)}`;
    if (/[ .]$/.test(name)) return `${quoted} has a name that ends with a space or dot`;
  }
  return path.split('/')[0]?.toLowerCase() === '.model-rtc' ? `${quoted} is in the registry's own folder` : undefined;
}

/** Compares each path with each other. */
function pathsProblem(paths: readonly string[]): boolean {
  const folded = paths.map((path) => path.toUpperCase().toLowerCase().normalize('NFC'));
  return folded.some((one, i) => folded.some((two, k) => i !== k && (two === one || two.startsWith(`${one}/`))));
}

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hex characters');
const gitSha1 = z.string().regex(/^[0-9a-f]{40}$/, 'a git SHA-1 is 40 lower-case hex characters');
const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const chunkSize = z
  .number()
  .int()
  .min(1)
  .max(4 * 1024 * 1024);
const path = z.string().superRefine((text, context) => {
  const problem = pathProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});
const mode = z.number().int().min(0).max(0o777).optional();
const mtimeMs = z.number().int().min(0).max(253_402_300_799_999).optional();
const file = z.object({ path, size, sha256: digest, mode, mtimeMs });
const contentsFile = file.extend({ sha256: digest.optional(), gitSha1: gitSha1.optional() });

interface Lists {
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly chunks?: readonly { readonly size: number }[] | undefined;
}

/** Whether the lists break a rule together. The sentence for it is not looked at. */
function togetherProblem({ files, chunks }: Lists): boolean {
  if (pathsProblem(files.map((one) => one.path))) return true;
  const sum = (items: readonly { readonly size: number }[]): number => items.reduce((all, one) => all + one.size, 0);
  return !Number.isSafeInteger(sum(files)) || (chunks !== undefined && sum(chunks) !== sum(files));
}

const TOGETHER = 'the lists do not fit together';
const fit = (lists: Lists, context: z.RefinementCtx): void => {
  if (togetherProblem(lists)) context.addIssue({ code: 'custom', message: TOGETHER });
};
const digested = z.object({ digest, size: chunkSize });

/** A manifest as zod alone checks it: slow, and as the page says. */
export const referenceManifest = z
  .object({
    version: z.literal(1),
    files: z.array(file).min(1).max(200_000),
    chunker: z.string().min(1).max(64),
    chunks: z.array(digested).max(380_000),
  })
  .superRefine(fit);

/** The same for contents. */
export const referenceContents = z
  .object({
    digest: digest.optional(),
    files: z.array(contentsFile).min(1).max(200_000),
    chunker: z.string().min(1).max(64).optional(),
    chunks: z
      .array(digested.partial({ digest: true }))
      .max(380_000)
      .optional(),
  })
  .superRefine(fit);

/** What a schema makes of a value: the same for two schemas that are equal. */
export function verdict(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { data: parsed.data };
  const [issue] = parsed.error.issues;
  return issue?.path.length === 0 && issue.code === 'custom' ? TOGETHER : [issue?.path.join('.'), issue?.message];
}
