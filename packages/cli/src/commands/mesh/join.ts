import { defineCommand, requiredText, textOption } from '../../command-line/types.ts';
import { variableNames } from '../../console/environment.ts';
import { inviteText } from './invite-text.ts';
import { meshWork, nodeName } from './options.ts';

export const join = defineCommand({
  usage: 'join <invite>',
  describe: 'Join a mesh with an invite',
  positionals: { invite: requiredText('The invite, or @FILE with it') },
  options: {
    'node-name': textOption("This machine's name in the mesh [this machine's name]", {
      env: variableNames('nodeName'),
    }),
    timeout: textOption('How long to look for a member to tell', { default: '10s' }),
  },
  examples: [['$0 mesh join @invite.txt', 'then: model-rtc mesh models']],
  async run(context, { invite, nodeName: given, timeout }) {
    const [{ joinMesh }, { parseDuration }] = await Promise.all([
      import('@model-rtc/mesh'),
      import('../../console/quantities.ts'),
    ]);
    const joined = await joinMesh({
      ...{
        ...(await meshWork(context, undefined)),
        invite: await inviteText(invite),
        nodeName: await nodeName(context, given),
      },
      waitMs: parseDuration(timeout, '--timeout'),
    });
    const { name, scopes, reached } = joined;
    context.output.result(joined, `Joined the mesh ${name}, with ${scopes.join(', ')}.`);
    if (reached === undefined) context.output.note(NOBODY_REACHED);
    else context.output.note(`${reached} knows this machine now.`);
    context.output.note('See what the others have:   model-rtc mesh models');
    context.output.note('Serve the models here too:  model-rtc worker');
  },
});

const NOBODY_REACHED =
  'No member could be reached yet. The membership is stored here: the mesh learns of this machine as soon as a member is reached, by any command or a running worker.';
