import { resolve } from 'node:path';
import { defineCommand, textOption, textsOption } from '../../command-line/types.ts';
import { formatCount, formatTime } from '../../console/format.ts';
import { parseDuration } from '../../console/quantities.ts';
import { parseScopes } from '../scopes.ts';
import { meshOption } from './options.ts';

/** More than the machines of a lab; an invite that gets into wrong hands lets in no more. */
const DEFAULT_USES = 100;

export const invite = defineCommand({
  usage: 'invite',
  describe: 'Print an invite: whoever has it can join the mesh',
  options: {
    ...meshOption,
    for: textOption('How long it is valid, e.g. 12h or 7d', { default: '7d' }),
    scope: textOption('What those who join with it may do at every member: a list of read, write and track', {
      default: 'read',
    }),
    uses: { type: 'number', default: DEFAULT_USES, describe: 'How many machines can join with it, at most 10000' },
    signaling: textsOption("A signaling server to name in it, besides the mesh's own"),
    'token-file': textOption('Write it to this file, mode 0600, instead of printing it', { completes: 'files' }),
  },
  examples: [
    ['$0 mesh invite', 'for a week, to read'],
    ['$0 mesh invite --uses 1 --token-file invite.txt', 'for one machine'],
    ['$0 mesh invite --for 1h --scope read,write,track', 'for machines that may also send models and run jobs'],
  ],
  async run(context, { mesh, for: duration, scope, uses, signaling, tokenFile }) {
    const [{ inviteToMesh }, { readWorkerStatus, urlsForOthers }] = await Promise.all([
      import('@model-rtc/mesh'),
      import('@model-rtc/worker'),
    ]);
    const { paths } = await context.registry();
    const running = await readWorkerStatus(paths.root).catch(() => undefined);
    const made = await inviteToMesh({
      ...{ root: paths.root, mesh, scopes: await parseScopes(scope), signalingUrls: signaling },
      ...{ forMs: parseDuration(duration, '--for'), uses, ownUrls: urlsForOthers(running?.status?.urls ?? []) },
    });
    const { text, ...shown } = made;
    if (tokenFile === undefined) context.output.result({ ...shown, invite: text }, text);
    else {
      const { writeFileAtomic } = await import('@model-rtc/files');
      await writeFileAtomic(tokenFile, `${text}\n`, { mode: 0o600 });
      context.output.result({ ...shown, inviteFile: resolve(tokenFile) }, `The invite is in ${tokenFile}`);
    }
    const until = formatTime(made.expiresAt);
    context.output.note(
      `Anyone who has it can join ${made.mesh} until ${until}, ${formatCount(uses, 'machine')} at most, with ${made.scopes.join(', ')}. On the other machine:`,
    );
    context.output.note(`  model-rtc mesh join ${tokenFile === undefined ? 'INVITE' : `@${tokenFile}`}`);
    if (made.urls.length === 0) context.output.note(NOT_REACHED_ELSEWHERE);
  },
});

const NOT_REACHED_ELSEWHERE =
  'It names no address yet: machines on the same network find each other. Start `model-rtc worker` here before you invite others, or pass --signaling URL.';
