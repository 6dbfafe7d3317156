import { describe, expect, it } from '@jest/globals';
import { parseServerUrls } from '../../src/client/server-url.ts';

describe('the URLs of signaling servers', () => {
  it.each([
    ['ws://Host:8787', 'ws://host:8787/v1', 'host:8787'],
    ['ws://host:80/', 'ws://host/v1', 'host'],
    ['wss://host:443', 'wss://host/v1', 'host'],
    ['wss://host/behind/proxy/', 'wss://host/behind/proxy/v1', 'host'],
    ['ws://[FD00:0::1]:1', 'ws://[fd00::1]:1/v1', '[fd00::1]:1'],
  ])('%s is dialled as %s, and signed for as %s', (given, dialled, host) => {
    expect(parseServerUrls([given])).toEqual([{ given, dialled, host }]);
  });

  it('are each tried once', () => {
    expect(parseServerUrls(['ws://a:1', 'ws://A:1/', 'ws://b:1'])).toHaveLength(2);
  });

  it.each([
    [[]],
    [['http://a']],
    [['a:8787']],
    [['ws://user:word@a']],
    [Array.from({ length: 17 }, (_, i) => `ws://a:${i + 1}`)],
  ])('are refused when they are none, or too many: %p', (urls: string[]) => {
    expect(() => parseServerUrls(urls)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });
});
