import { readFile } from 'node:fs/promises';
import { ModelRtcError } from '@model-rtc/protocol';

/** An invite is shorter; a file that is longer is something else. */
const MAX_INVITE_BYTES = 16_384;

/** An invite as a person gives it: the text, or `@FILE`. @throws ModelRtcError `bad_argument` */
export async function inviteText(given: string): Promise<string> {
  if (!given.startsWith('@')) return given;
  const path = given.slice(1);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw ModelRtcError.because(
      error,
      'bad_argument',
      `Cannot read the invite file "${path}". Pass @FILE with the file that \`model-rtc mesh invite --token-file\` wrote.`,
    );
  });
  if (text.length <= MAX_INVITE_BYTES) return text;
  throw new ModelRtcError('bad_argument', `"${path}" is too long to be an invite.`);
}
