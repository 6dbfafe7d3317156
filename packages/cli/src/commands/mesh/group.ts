import type { CommandGroup } from '../../command-line/types.ts';
import { audit } from './audit.ts';
import { consent } from './consent.ts';
import { create } from './create.ts';
import { invite } from './invite.ts';
import { invites } from './invites.ts';
import { join } from './join.ts';
import { distrust, leave, remove, trust } from './members.ts';
import { models } from './models.ts';
import { peers } from './peers.ts';
import { prefetch } from './prefetch.ts';

/** Machines that know each other's models. */
export const mesh: CommandGroup = {
  name: 'mesh',
  describe: 'Let machines find each other and know what each has, without a server',
  commands: [audit, consent, create, distrust, invite, invites, join, leave, models, peers, prefetch, remove, trust],
  examples: [
    ['$0 mesh create lab', 'on one machine'],
    ['$0 mesh invite', 'prints an INVITE'],
    ['$0 mesh join INVITE', 'on the others; then run model-rtc worker on each'],
    ['$0 mesh models', 'what all of them have'],
  ],
};
