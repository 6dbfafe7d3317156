import { fromBase64Url } from '@model-rtc/protocol';
import type { Membership } from '../../core/index.ts';
import type { MeshFile } from '../state/mesh-folders.ts';

export interface MeetingSecretsParts {
  readonly membership: Pick<Membership, 'roster' | 'certificateOf'>;
  readonly ownKey: string;
  readonly mesh: Pick<MeshFile, 'meetings'>;
}

/** The secrets of the meeting rooms, the newest first: the roster's, unless this machine came with a later invite. */
export function meetingSecretsOf({ membership, ownKey, mesh }: MeetingSecretsParts): readonly Uint8Array[] {
  const { roster } = membership;
  const isNewer = roster !== undefined && roster.epoch >= (membership.certificateOf(ownKey)?.epoch ?? 0);
  if (isNewer && roster.meetings.length > 0) return roster.meetings;
  return mesh.meetings.map(fromBase64Url).filter(({ length }) => length === SECRET_BYTES);
}

const SECRET_BYTES = 32;
