import { describe, expect, it } from '@jest/globals';
import { announcedUrl, bridgePort } from '../../../src/commands/worker/http-bridge.ts';

describe('the port of the HTTP bridge', () => {
  it('comes from the option, else from the environment, else there is none', () => {
    expect(bridgePort({ httpPort: '14345' }, { MODEL_RTC_HTTP_PORT: '1' })).toBe(14_345);
    expect(bridgePort({}, { MODEL_BRIDGE_HTTP_PORT: '14345' })).toBe(14_345);
    expect(bridgePort({ httpPort: '0' }, {})).toBe(0);
    expect(bridgePort({}, { MODEL_RTC_HTTP_PORT: '5', MODEL_BRIDGE_HTTP_PORT: '6' })).toBe(5);
    expect(bridgePort({}, {})).toBeUndefined();
    expect(bridgePort({}, { MODEL_RTC_HTTP_PORT: '' })).toBeUndefined();
  });

  it('is refused when it is none, and asked for where it is missing', () => {
    expect(() => bridgePort({ httpPort: 'http' }, {})).toThrow('--http-port takes a number');
    expect(() => bridgePort({}, { MODEL_BRIDGE_HTTP_PORT: '70000' })).toThrow('MODEL_BRIDGE_HTTP_PORT takes a number');
    expect(() => bridgePort({ httpHost: '0.0.0.0' }, {})).toThrow('need --http-port');
  });
});

describe('the address of the bridge that members of a mesh are told', () => {
  it.each([
    ['http://127.0.0.1:14345', true, undefined],
    ['http://0.0.0.0:14345', false, 'http://10.0.0.2:14345'],
    ['http://[::]:14345', false, 'http://10.0.0.2:14345'],
    ['http://192.168.1.9:80', false, 'http://192.168.1.9:80'],
  ])('%s is told as it can be reached', (url, isLoopback, told) => {
    expect(announcedUrl({ url, isLoopback }, '10.0.0.2')).toBe(told);
  });

  it('has brackets around IPv6', () => {
    expect(announcedUrl({ url: 'http://[::]:1', isLoopback: false }, 'fd00::2')).toBe('http://[fd00::2]:1');
  });
});
