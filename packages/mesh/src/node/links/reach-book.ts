import type { MeshReach } from '../../types.ts';
import type { MeshNodeOptions } from '../mesh-node-options.ts';
import type { AddressBook } from './address-book.ts';
import type { Links } from './links.ts';
import type { MemberContact } from './member-contact.ts';

export interface ReachBookOptions extends Pick<MeshNodeOptions, 'view' | 'isPassing' | 'onReach'> {
  readonly links: Pick<Links, 'peerOf' | 'linked'>;
  readonly contact: Pick<MemberContact, 'reached'>;
  readonly addresses: Pick<AddressBook, 'isOnLan'>;
}

/** How members are reached. */
export class ReachBook {
  readonly #options: ReachBookOptions;
  /** By which kind of lane a member was linked last. */
  readonly #kinds = new Map<string, MeshReach>();
  #told = '';

  constructor(options: ReachBookOptions) {
    this.#options = options;
  }

  linkedBy(key: string, kind: MeshReach): void {
    this.#kinds.set(key, kind);
  }

  /** undefined where a member is not reached now. */
  of(key: string): MeshReach | undefined {
    const { links, contact, addresses, view, isPassing } = this.#options;
    if (links.peerOf(key) !== undefined) return addresses.isOnLan(key) ? 'lan' : (this.#kinds.get(key) ?? 'signaling');
    // A machine without a worker asks and is gone again.
    if (!contact.reached().includes(key) || view.catalogOf(key) === undefined) return undefined;
    return isPassing && addresses.isOnLan(key) ? 'lan' : 'signaling';
  }

  /** Says how all are reached, where that has changed. */
  tell(): void {
    const { links, contact, onReach } = this.#options;
    const reach = new Map<string, MeshReach>();
    for (const key of [...contact.reached(), ...links.linked()]) {
      const how = this.of(key);
      if (how !== undefined) reach.set(key, how);
    }
    const text = JSON.stringify([...reach].sort());
    if (text === this.#told) return;
    this.#told = text;
    onReach?.(reach);
  }
}
