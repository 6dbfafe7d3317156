import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { machineAddresses } from '../../../src/lanes/direct/machine-addresses.ts';

function address(text: string, internal = false): NetworkInterfaceInfo {
  const family = text.includes(':') ? 'IPv6' : 'IPv4';
  return { address: text, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 } as NetworkInterfaceInfo;
}

describe('machineAddresses', () => {
  it('names what other machines can use, IPv4 first, without loopback and link-local ones', () => {
    const interfaces = {
      lo: [address('127.0.0.1', true), address('::1', true)],
      eth0: [address('fe80::1'), address('fd00::2'), address('169.254.3.4'), address('192.168.1.5')],
      wlan0: [address('10.0.0.9')],
    };
    expect(machineAddresses({ most: 6, interfaces })).toEqual(['192.168.1.5', '10.0.0.9', 'fd00::2']);
    expect(machineAddresses({ most: 2, interfaces })).toEqual(['192.168.1.5', '10.0.0.9']);
    expect(machineAddresses({ most: 6, ipv6: false, interfaces })).toEqual(['192.168.1.5', '10.0.0.9']);
  });
});
