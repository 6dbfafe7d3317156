import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { reachableUrls, urlsForOthers } from '../src/addresses.ts';

function address(text: string, internal = false): NetworkInterfaceInfo {
  const family = text.includes(':') ? 'IPv6' : 'IPv4';
  return {
    address: text,
    family,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    ...(family === 'IPv6' ? { scopeid: 0 } : {}),
  } as NetworkInterfaceInfo;
}

describe('reachableUrls', () => {
  it('names the addresses that other machines can use first, and loopback last', () => {
    const interfaces = {
      lo: [address('127.0.0.1', true), address('::1', true)],
      eth0: [address('fd00::2'), address('192.168.1.5')],
    };
    expect(reachableUrls(8787, { interfaces })).toEqual([
      'ws://192.168.1.5:8787',
      'ws://[fd00::2]:8787',
      'ws://127.0.0.1:8787',
    ]);
  });

  it('leaves out addresses that mean nothing on another machine', () => {
    const interfaces = { eth0: [address('169.254.3.4'), address('fe80::1'), address('febf::1'), address('10.0.0.9')] };
    expect(reachableUrls(1, { interfaces })).toEqual(['ws://10.0.0.9:1', 'ws://127.0.0.1:1']);
  });

  it('keeps a token short on a machine with many interfaces', () => {
    const many = Array.from({ length: 40 }, (_, i) => address(`10.1.0.${i}`));
    expect(reachableUrls(1, { interfaces: { veth: many } })).toHaveLength(7);
  });

  it('leaves IPv6 out for a server that does not listen on it', () => {
    const interfaces = { eth0: [address('fd00::2'), address('192.168.1.5')] };
    expect(reachableUrls(8787, { interfaces, ipv6: false })).toEqual(['ws://192.168.1.5:8787', 'ws://127.0.0.1:8787']);
  });
});

describe('urlsForOthers', () => {
  it('leaves loopback out where there is another address, which does on the same machine too', () => {
    const urls = ['ws://192.168.1.5:8787', 'ws://127.0.0.1:8787', 'ws://[::1]:8787', 'wss://localhost'];
    expect(urlsForOthers(urls)).toEqual(['ws://192.168.1.5:8787']);
  });

  it('keeps loopback on a machine without a network', () => {
    expect(urlsForOthers(['ws://127.0.0.1:8787'])).toEqual(['ws://127.0.0.1:8787']);
    expect(urlsForOthers([])).toEqual([]);
  });
});
