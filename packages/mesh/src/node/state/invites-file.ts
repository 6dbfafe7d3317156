import { join } from 'node:path';
import { scopeSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_INVITE_USES, MAX_REVOKED_INVITES } from '../../core/limits.ts';
import { JsonFile } from './json-file.ts';

const madeInviteSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(scopeSchema),
  madeAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  uses: z.number().int().min(1).max(MAX_INVITE_USES).optional(),
});
export type MadeInviteNote = z.infer<typeof madeInviteSchema>;

const invitesFileSchema = z.object({ invites: z.array(madeInviteSchema) });
export type InvitesFile = z.infer<typeof invitesFileSchema>;

/** The invites that were made on the authority's machine, without their secrets: those that nobody used yet are known nowhere else. */
export function invitesFile(folder: string): JsonFile<InvitesFile> {
  return new JsonFile({ path: join(folder, 'invites.json'), schema: invitesFileSchema, empty: { invites: [] } });
}

/** As many as a roster can revoke are remembered, the newest. */
export function withInvite({ invites }: InvitesFile, made: MadeInviteNote): InvitesFile {
  return { invites: [...invites, made].slice(-MAX_REVOKED_INVITES) };
}
