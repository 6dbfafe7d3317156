import { BlockList, isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { usableCandidate } from '../../../src/lanes/webrtc/candidate.ts';

describe('usableCandidate', () => {
  it.each([
    ['candidate:1 1 UDP 2114977791 192.0.2.2 42066 typ host', 'candidate:1 1 UDP 2114977791 192.0.2.2 42066 typ host'],
    ['a=candidate:f 1 udp 5 fd00::2 1 typ host generation 0', 'candidate:f 1 UDP 5 fd00::2 1 typ host'],
    [
      'candidate:4 1 udp 5 198.51.100.7 9 typ srflx raddr 10.0.0.1 rport 7 ufrag x',
      'candidate:4 1 UDP 5 198.51.100.7 9 typ srflx raddr 10.0.0.1 rport 7',
    ],
  ])('writes %s anew', (text, expected) => {
    expect(usableCandidate(text)).toBe(expected);
  });

  it.each([
    ['an mDNS name', 'candidate:1 1 UDP 1 d5b9cf6a-1.local 5 typ host'],
    ['TCP', 'candidate:1 1 TCP 1 192.0.2.2 9 typ host tcptype active'],
    ['RTCP', 'candidate:1 2 UDP 1 192.0.2.2 9 typ host'],
    ['multicast', 'candidate:1 1 UDP 1 224.0.0.1 9 typ host'],
    ['broadcast', 'candidate:1 1 UDP 1 255.255.255.255 9 typ host'],
    ['the unspecified address', 'candidate:1 1 UDP 1 :: 9 typ host'],
    ['link-local IPv6', 'candidate:1 1 UDP 1 fe80::1 9 typ host'],
    ['an address that is none', 'candidate:1 1 UDP 1 999.0.0.1 9 typ host'],
    ['port 0', 'candidate:1 1 UDP 1 192.0.2.2 0 typ host'],
    ['a port beyond all', 'candidate:1 1 UDP 1 192.0.2.2 65536 typ host'],
    ['a priority beyond all', 'candidate:1 1 UDP 4294967296 192.0.2.2 9 typ host'],
    ['the end of candidates', ''],
  ])('passes over %s', (_, text) => {
    expect(usableCandidate(text)).toBeUndefined();
  });

  it('takes the addresses that Node takes for such, and none that leads nowhere', () => {
    const nowhere = { ipv4: new BlockList(), ipv6: new BlockList() };
    nowhere.ipv4.addSubnet('0.0.0.0', 8);
    nowhere.ipv4.addSubnet('224.0.0.0', 3);
    nowhere.ipv6.addAddress('::', 'ipv6');
    nowhere.ipv6.addSubnet('ff00::', 8, 'ipv6');
    nowhere.ipv6.addSubnet('fe80::', 10, 'ipv6');
    nowhere.ipv6.addSubnet('::ffff:0:0', 96, 'ipv6');
    const group = fc.constantFrom(
      '',
      '0',
      '00',
      '1',
      'f',
      'ff',
      'ff02',
      'fe80',
      'febf',
      'fec0',
      'ffff',
      'FFFF',
      '12345',
      'g',
    );
    const byte = fc.constantFrom('', '0', '1', '01', '9', '99', '127', '223', '224', '255', '256', '300');
    const ipv4 = fc.array(byte, { minLength: 3, maxLength: 5 }).map((bytes) => bytes.join('.'));
    const ipv6 = fc.tuple(
      fc.array(fc.oneof(group, ipv4), { minLength: 1, maxLength: 9 }),
      fc.constantFrom('', ':', '::'),
    );
    const address = fc.oneof(
      ipv4,
      ipv6.map(([groups, end]) => groups.join(':') + end),
      fc.ipV4(),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(address, (text) => {
        const family = ({ 0: undefined, 4: 'ipv4', 6: 'ipv6' } as const)[isIP(text) as 0 | 4 | 6];
        const isUsable = family !== undefined && !nowhere[family].check(text, family);
        expect([text, usableCandidate(`candidate:1 1 UDP 1 ${text} 9 typ host`) !== undefined]).toEqual([
          text,
          isUsable,
        ]);
      }),
      { numRuns: runs(5_000) },
    );
  });

  it('gives nothing but plain candidates, whatever comes', () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom('candidate:1', '1', 'UDP', '192.0.2.2', '9', 'typ', 'host', '\r\n'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        expect(usableCandidate(parts.join(' ')) ?? 'candidate:').toMatch(/^candidate:[A-Za-z0-9+/:. ]*$/);
      }),
    );
  });
});
