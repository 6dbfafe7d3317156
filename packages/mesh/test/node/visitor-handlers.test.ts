import { describe, expect, it } from '@jest/globals';
import type { Peer, RequestContext } from '@model-rtc/transport';
import { sharedSecretsOf } from '../../src/core/index.ts';
import { VisitorHandlers, type VisitorHandlersOptions } from '../../src/node/links/visitor-handlers.ts';
import { MeshSessions } from '../../src/node/sessions.ts';
import { identityOf, joined, keyTextOf, MESH_ID, seedOf } from '../support/people.ts';

const sessionsOf = (number: number) =>
  new MeshSessions(MESH_ID, identityOf(number).publicKey, sharedSecretsOf(seedOf(number)));

/** Node 1, with these members. */
function scene(members: Set<string>) {
  const membership = joined(2).bytes;
  const options = {
    view: {
      members: () => [...members].map((key) => ({ key })),
      scopesOf: (key: string) => (members.has(key) ? ['read'] : undefined),
      membersAmong: (records: readonly Uint8Array[]) =>
        records.includes(membership) && members.has(keyTextOf(2)) ? [keyTextOf(2)] : [],
    },
    sessions: sessionsOf(1),
    sync: {
      answer: async () => {
        // A roster comes while it is answered.
        members.delete(keyTextOf(3));
        return { records: [Uint8Array.of(1)], want: [] };
      },
      giveParts: () => [],
    },
    onVisit: () => {},
    wallMs: () => 0,
  } as unknown as VisitorHandlersOptions;
  return { membership, visitors: new VisitorHandlers(options) };
}

describe('a visitor', () => {
  it('counts as a member to tell news when it compares what both have, and not when it only fetches a model', async () => {
    const { visitors } = scene(new Set([keyTextOf(2)]));
    const peer = {} as Peer;
    const gossiping: Peer[] = [];
    const handlers = visitors.ofMember(keyTextOf(2), (one) => gossiping.push(one));
    const context = { peer } as Partial<RequestContext> as never;
    await handlers.mesh_fetch?.({ parts: [] }, context);
    expect(gossiping).toEqual([]);
    await handlers.mesh_gossip?.({ records: [] }, context);
    expect(gossiping).toEqual([peer]);
  });

  it('that is removed while it is answered gets nothing of what removed it', async () => {
    const { visitors } = scene(new Set([keyTextOf(2), keyTextOf(3)]));
    const ask = (key: string) => visitors.ofMemberWithoutLane(key).mesh_gossip?.({ records: [] });
    await expect(ask(keyTextOf(2))).resolves.toMatchObject({ records: [Uint8Array.of(1)] });
    await expect(ask(keyTextOf(3))).rejects.toMatchObject({ code: 'token_revoked' });
  });

  it('of a meeting room learns who holds it when it is a member, and nothing else', async () => {
    const { visitors, membership } = scene(new Set([keyTextOf(2)]));
    const answer = await visitors.inMeeting().mesh_gossip?.({ records: [membership] });
    expect(answer).toMatchObject({ records: [], want: [] });
    expect(sessionsOf(2).holderIn(answer?.holder ?? new Uint8Array())).toBe(keyTextOf(1));
    expect(sessionsOf(3).holderIn(answer?.holder ?? new Uint8Array())).not.toBe(keyTextOf(1));
    expect(await visitors.atDoor().mesh_gossip?.({ records: [membership] })).toMatchObject({ holder: undefined });
  });

  it('of a meeting room that was removed is told so, and not who holds it', async () => {
    const { visitors, membership } = scene(new Set());
    const answer = visitors.inMeeting().mesh_gossip?.({ records: [membership] });
    await expect(answer).rejects.toMatchObject({ code: 'token_revoked' });
  });
});
