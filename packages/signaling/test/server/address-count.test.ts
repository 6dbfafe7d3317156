import { describe, expect, it } from '@jest/globals';
import { AddressCount, networkOf } from '../../src/server/address-count.ts';

describe('the count of sockets from one address', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('takes %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('adds and removes, and keeps nothing of who left', () => {
    const count = new AddressCount();
    expect(count.add('10.0.0.1')).toBe(1);
    expect(count.add('::ffff:10.0.0.1')).toBe(2);
    expect(count.of('10.0.0.2')).toBe(0);
    count.remove('10.0.0.1');
    count.remove('10.0.0.1');
    count.remove('10.0.0.1');
    expect(count.of('10.0.0.1')).toBe(0);
  });
});
