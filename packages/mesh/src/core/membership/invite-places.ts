import type { MembershipCertificate } from './certificates.ts';

/** Which memberships came with each invite, and which of them have a place, where an invite admits only so many. */
export class InvitePlaces {
  readonly #byInvite = new Map<string, Map<string, MembershipCertificate>>();
  readonly #isListed: (key: string) => boolean;

  /** @param isListed - whether the authority's roster lists a node */
  constructor(isListed: (key: string) => boolean) {
    this.#isListed = isListed;
  }

  /** The membership takes the place of the one that its node came with before. */
  set(certificate: MembershipCertificate, before: MembershipCertificate | undefined): void {
    if (before?.invite !== undefined) this.#byInvite.get(before.invite.keyText)?.delete(before.key);
    if (certificate.invite === undefined) return;
    const { keyText } = certificate.invite;
    const cameWith = this.#byInvite.get(keyText) ?? new Map<string, MembershipCertificate>();
    this.#byInvite.set(keyText, cameWith.set(certificate.key, certificate));
  }

  invites(): { readonly invite: NonNullable<MembershipCertificate['invite']>; readonly used: number }[] {
    return [...this.#byInvite.values()].flatMap((cameWith) => {
      const [first] = cameWith.values();
      return first?.invite === undefined ? [] : [{ invite: first.invite, used: cameWith.size }];
    });
  }

  /** Whether as many others came with its invite as may. */
  isUsedUp({ invite, key }: MembershipCertificate): boolean {
    if (invite?.maxJoins === undefined) return false;
    const cameWith = this.#byInvite.get(invite.keyText);
    const others = (cameWith?.size ?? 0) - (cameWith?.has(key) ? 1 : 0);
    return others >= invite.maxJoins;
  }

  /**
   * Members that are apart each let in as many as an invite admits. When they meet, those that the roster lists have a place, and of the others
   * those that joined first, as far as there are places: everyone comes to the same.
   */
  hasPlace(certificate: MembershipCertificate): boolean {
    const { invite, key } = certificate;
    const cameWith = invite === undefined ? undefined : this.#byInvite.get(invite.keyText);
    if (invite?.maxJoins === undefined || cameWith === undefined || cameWith.size <= invite.maxJoins) return true;
    if (this.#isListed(key)) return true;
    const unlisted = [...cameWith.values()].filter((one) => !this.#isListed(one.key));
    const places = Math.max(0, invite.maxJoins - (cameWith.size - unlisted.length));
    const isBefore = (one: MembershipCertificate): boolean =>
      one.joinedAtMs < certificate.joinedAtMs || (one.joinedAtMs === certificate.joinedAtMs && one.key < key);
    return unlisted.filter(isBefore).length < places;
  }
}
