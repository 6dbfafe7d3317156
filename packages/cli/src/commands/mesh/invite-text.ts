import { readSecretFile } from '../../console/secret-file.ts';

const INVITE_FILE = {
  what: 'invite',
  maxBytes: 16_384,
  madeBy: 'model-rtc mesh invite --token-file',
  instead: 'the invite itself',
} as const;

/** An invite as a person gives it: the text, or `@FILE`. @throws ModelRtcError `bad_argument` */
export async function inviteText(given: string): Promise<string> {
  return given.startsWith('@') ? await readSecretFile(given.slice(1), INVITE_FILE) : given;
}
