import { describe, expect, it } from '@jest/globals';
import { createHostCheck, type LocalAddress } from '../../src/server/own-hosts.ts';

const at = (address: string, port = 8787): LocalAddress => ({ address, port });
const check = (publicHosts: string[] = []) => createHostCheck({ publicHosts, machineName: 'Lab-Box.example.org' });

describe('which hosts are this server', () => {
  it.each([
    ['127.0.0.1:8787', at('127.0.0.1')],
    ['127.0.0.1:8787', at('::ffff:127.0.0.1')],
    ['10.1.2.3:8787', at('10.1.2.3')],
    ['10.1.2.3', at('10.1.2.3', 80)],
    ['10.1.2.3:80', at('10.1.2.3', 80)],
    ['[::1]:8787', at('::1')],
    ['[fd00::1]:8787', at('fd00:0:0::1')],
    ['localhost:8787', at('::1')],
    ['localhost:8787', at('127.0.0.1')],
    ['lab-box:8787', at('10.1.2.3')],
    ['lab-box.local:8787', at('10.1.2.3')],
    ['LAB-BOX.example.org:8787', at('10.1.2.3')],
  ])('%s is, for a connection that arrived at %p', (host, local) => {
    expect(check()(host, local)).toBe(true);
  });

  it.each([
    ['10.1.2.3:8788', at('10.1.2.3')],
    ['10.1.2.4:8787', at('10.1.2.3')],
    ['10.1.2.3', at('10.1.2.3')],
    ['localhost:8787', at('10.1.2.3')],
    ['hostile.example:8787', at('10.1.2.3')],
    ['user@10.1.2.3:8787', at('10.1.2.3')],
    ['10.1.2.3:8787/path', at('10.1.2.3')],
    ['', at('10.1.2.3')],
    [':8787', at('')],
    ['[::1', at('::1')],
    ['a:99999', at('10.1.2.3')],
  ])('%s is not, for a connection that arrived at %p', (host, local) => {
    expect(check()(host, local)).toBe(false);
  });

  it('includes the public hosts: at one port when it is given, else at every port', () => {
    const withNames = check(['sig.example.org', 'other.example.org:9000', '[2001:db8::1]']);
    expect(withNames('sig.example.org', at('10.0.0.1'))).toBe(true);
    expect(withNames('SIG.example.org:444', at('10.0.0.1'))).toBe(true);
    expect(withNames('[2001:db8:0::1]:1', at('10.0.0.1'))).toBe(true);
    expect(withNames('other.example.org:9000', at('10.0.0.1'))).toBe(true);
    expect(withNames('other.example.org:9001', at('10.0.0.1'))).toBe(false);
  });

  it('includes the host of a worker that uses no other server', () => {
    expect(check()('*', at('10.1.2.3'))).toBe(true);
  });

  it('can be every host, if the operator wants that', () => {
    expect(check(['*'])('anything:1', at('10.0.0.1'))).toBe(true);
  });

  it('refuses a public host that is none', () => {
    expect(() => check(['ws://sig.example.org'])).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });
});
