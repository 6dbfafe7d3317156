import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { AddressBook } from '../../src/node/links/address-book.ts';

const KEY = 'ab'.repeat(32);

describe('AddressBook', () => {
  it('keeps the address that a node gave, however many another machine makes up for it', () => {
    const book = new AddressBook(new VirtualClock());
    book.told(KEY, ['ws://10.0.0.2:1', 'ws://192.168.0.2:1']);
    book.seenOnLan(KEY, ['ws://10.0.0.2:1', 'ws://[2001:db8::2]:1']);
    for (let port = 1; port < 5_000; port++) book.seenOnLan(KEY, [`ws://10.0.0.66:${port}`, `ws://8.8.8.8:${port}`]);
    const urls = book.urlsOf(KEY, ['wss://signal.example']);
    expect(urls.length).toBeLessThanOrEqual(16);
    for (const url of ['ws://10.0.0.2:1', 'ws://192.168.0.2:1', 'wss://signal.example']) expect(urls).toContain(url);
    expect(urls.filter((url) => url.includes('10.0.0.66'))).toEqual(['ws://10.0.0.66:4999']);
  });

  it('keeps what the node itself has signed, however many machines say that they are it', () => {
    const book = new AddressBook(new VirtualClock());
    book.told(KEY, ['ws://10.0.0.2:1']);
    for (let host = 1; host < 250; host++) book.seenOnLan(KEY, [`ws://10.0.1.${host}:1`]);
    expect(book.urlsOf(KEY)).toContain('ws://10.0.0.2:1');
  });

  it('tries a new address at once, and not each of many', async () => {
    const clock = new VirtualClock();
    const book = new AddressBook(clock);
    expect(book.seenOnLan(KEY, ['ws://10.0.0.2:1'])).toBe(true);
    expect(book.seenOnLan(KEY, ['ws://10.0.0.2:2'])).toBe(false);
    await clock.advance(3_000);
    expect(book.seenOnLan(KEY, ['ws://10.0.0.2:2'])).toBe(false);
    expect(book.seenOnLan(KEY, ['ws://10.0.0.2:3'])).toBe(true);
  });
});
