import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { type ShownStatus, statusText } from '../../../src/commands/worker/status.ts';

const SHOWN: ShownStatus = {
  dataFolder: '/data',
  found: {
    process: { pid: 4711, host: 'gpu1', takenAt: undefined },
    status: {
      ...{ name: 'lab', version: '1.0.0', startedAt: '2026-01-01T00:00:00Z', keyId: 'abcd', urls: ['ws://gpu1:1'] },
      ...{ directPort: 7000, folders: ['/runs'] },
      signaling: [{ url: 'ws://gpu1:1', state: 'connecting', reason: 'It is gone.' }],
      clients: [{ name: 'lap\u001b[2Jtop', lanes: [{ kind: 'direct', sentBytes: 2_000_000, receivedBytes: 10 }] }],
      data: { sets: 2, bytes: 3_000_000_000, maxBytes: 100_000_000_000 },
    },
  },
  sessions: [
    { keyId: 'abcd', name: 'default', scopes: ['read'], createdAt: '', expiresAt: undefined, status: 'active' },
  ],
  transfers: [{ model: 'f'.repeat(64) as Digest, bytes: 3_000_000 }],
  models: { total: 3, byFolder: { '/runs': 2 } },
};

describe('the status of a worker', () => {
  it('says who it is, who is connected, and what moves', () => {
    const text = statusText(SHOWN, 90_000);
    expect(text).toContain('lab (model-rtc 1.0.0) runs as process 4711 on gpu1, for 1m 30s');
    expect(text).toMatch(/session +default \(abcd\), read, until it is revoked/);
    expect(text).toMatch(/signaling +ws:\/\/gpu1:1 connecting: It is gone\./);
    expect(text).toMatch(/models +3 models, 2 in \/runs/);
    expect(text).toMatch(/over direct: 2 MB sent, 10 B received/);
    expect(text).toMatch(/data +2 sets for jobs, 3 GB of at most 100 GB/);
    expect(text).toMatch(/receiving +ffffffff, 3 MB so far/);
    expect(text).not.toContain('\u001b');
  });

  it('says what is known of one that is starting', () => {
    const starting = { ...SHOWN, found: { ...SHOWN.found, status: undefined } };
    expect(statusText(starting, undefined)).toMatch(/process 4711 on gpu1\n.*It is starting/s);
  });
});
