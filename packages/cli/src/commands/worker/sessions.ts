import { resolve } from 'node:path';
import type { SessionStore } from '@model-rtc/worker';
import { type CommandGroup, defineCommand, requiredText, textOption, textsOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatTime } from '../../console/format.ts';
import { parseDuration } from '../../console/quantities.ts';
import { renderTable } from '../../console/table.ts';
import { parseScopes } from '../scopes.ts';

const list = defineCommand({
  usage: 'list',
  describe: 'List the sessions, without their secrets',
  examples: [['$0 worker sessions list', 'key id, name, scopes, expiry and state']],
  async run(context) {
    const all = (await openSessions(context)).list();
    if (all.length === 0)
      context.output.note('No sessions yet. Start the worker, or: model-rtc worker sessions create');
    const text = renderTable(
      all,
      [
        { title: 'KEY ID', value: (session) => session.keyId, isWhole: true },
        { title: 'NAME', value: (session) => session.name },
        { title: 'SCOPES', value: (session) => session.scopes.join(',') },
        { title: 'STATE', value: (session) => session.status },
        { title: 'EXPIRES', value: (session) => formatTime(session.expiresAt) || 'never' },
        { title: 'CREATED', value: (session) => formatTime(session.createdAt), optional: 1 },
      ],
      context.output.columns,
    );
    context.output.result({ sessions: all }, all.length === 0 ? '' : text);
  },
});

const create = defineCommand({
  usage: 'create',
  describe: 'Create a session and print its token',
  options: {
    scope: textOption('What it allows: a list of read, write and track, such as read,write', { default: 'read' }),
    expires: textOption('How long it is valid, e.g. 12h, 7d, or never', { default: '30d' }),
    name: textOption('A name to revoke it by'),
    signaling: textsOption('The signaling servers of the worker [those it used last]'),
    'token-file': textOption('Write the token to this file, mode 0600, instead of printing it', { completes: 'files' }),
  },
  examples: [['$0 worker sessions create --scope read --expires 7d --name reviewers', 'read only, for a week']],
  async run(context, { scope, expires, name, signaling, tokenFile }) {
    const scopes = await parseScopes(scope);
    const expiresAt = parseExpiry(expires, Date.now());
    const store = await openSessions(context);
    const urls = signaling.length > 0 ? signaling : undefined;
    store.assertReachable(urls);
    const { session, record } = await store.create({ name, scopes, expiresAt });
    const token = store.token(record, urls);
    if (tokenFile === undefined) {
      context.output.result({ session, token }, token);
      return;
    }
    const { writeFileAtomic } = await import('@model-rtc/files');
    await writeFileAtomic(tokenFile, `${token}\n`, { mode: 0o600 });
    context.output.result(
      { session, tokenFile: resolve(tokenFile) },
      `Session ${session.name} (${session.keyId}) is in ${tokenFile}`,
    );
  },
});

const revoke = defineCommand({
  usage: 'revoke <session>',
  describe: 'End a session for everyone who holds it',
  positionals: { session: requiredText('Its key id or name') },
  examples: [['$0 worker sessions revoke reviewers', 'also closes the connections that it opened']],
  async run(context, { session: which }) {
    const session = await (await openSessions(context)).revoke(which);
    context.output.result({ session }, `Session ${session.name} (${session.keyId}) is revoked.`);
  },
});

/** The sessions that this machine's worker issued. */
export const sessions: CommandGroup = {
  name: 'sessions',
  describe: "List, create and revoke this machine's sessions",
  commands: [list, create, revoke],
  examples: [['$0 worker sessions create --scope read --expires 7d', 'read only, for a week']],
};

/** The sessions in this machine's data folder. */
export async function openSessions(context: Context): Promise<SessionStore> {
  const [{ loadIdentity }, { SessionStore }] = await Promise.all([
    import('@model-rtc/registry'),
    import('@model-rtc/worker'),
  ]);
  const { paths } = await context.registry();
  const identity = await loadIdentity(paths.keys);
  return new SessionStore({ keysFolder: paths.keys, workerKey: identity.publicKey });
}

/** A time from now such as `7d` or `12h`; undefined for `never`. */
function parseExpiry(text: string, nowMs: number): Date | undefined {
  if (text === 'never') return undefined;
  return new Date(nowMs + parseDuration(text, '--expires', { word: 'never' }));
}
