import { describe, expect, it } from '@jest/globals';
import { MeshSessions } from '../../src/node/sessions.ts';

const [mesh, other] = ['aa'.repeat(32), 'bb'.repeat(32)];
const own = new Uint8Array(32).fill(1);
const key = 'cd'.repeat(32);
const sessions = (meshId: string) => new MeshSessions(meshId, own, () => new Uint8Array(32).fill(2));

describe('a key that is told on a local network', () => {
  const nodeHint = sessions(mesh).lanHint(key);
  const maskedKey = sessions(mesh).maskedKey(key, nodeHint);

  it('is read by whoever knows the mesh, and shows nothing to others', () => {
    expect(sessions(mesh).heardKey({ nodeHint, maskedKey })).toBe(key);
    expect(maskedKey).not.toContain('cdcd');
    expect(sessions(other).heardKey({ nodeHint, maskedKey })).toBeUndefined();
  });

  it('does not count where it does not belong to the hint, or is missing', () => {
    const wrong = `00${maskedKey.slice(2)}`;
    expect(sessions(mesh).heardKey({ nodeHint, maskedKey: wrong })).toBeUndefined();
    expect(sessions(mesh).heardKey({ nodeHint, maskedKey: undefined })).toBeUndefined();
  });
});
