import { plainAddress } from './own-hosts.ts';

/** How many sockets are open from each address. */
export class AddressCount {
  readonly #counts = new Map<string, number>();

  /** @returns how many are open now, with this one. */
  add(address: string): number {
    const key = networkOf(address);
    const count = this.of(address) + 1;
    this.#counts.set(key, count);
    return count;
  }

  remove(address: string): void {
    const key = networkOf(address);
    const count = this.of(address) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }

  of(address: string): number {
    return this.#counts.get(networkOf(address)) ?? 0;
  }
}

/** One IPv4 address, or the /64 that a single IPv6 customer has at least: its addresses cost nothing. */
export function networkOf(address: string): string {
  const plain = plainAddress(address).split('%')[0] ?? '';
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
