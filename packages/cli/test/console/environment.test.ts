import { describe, expect, it } from '@jest/globals';
import { fromEnvironment, gossipInterval, nodeId, nodeNameIn } from '../../src/console/environment.ts';

describe('the environment', () => {
  it('has our names before those of other tools, and an empty one is none', () => {
    const both = { MODEL_RTC_NODE_NAME: 'ours', ATMOSPHERE_NODE_NAME: 'theirs' };
    expect(fromEnvironment(both, 'nodeName')).toEqual({ name: 'MODEL_RTC_NODE_NAME', text: 'ours' });
    expect(fromEnvironment({ ...both, MODEL_RTC_NODE_NAME: '' }, 'nodeName')?.text).toBe('theirs');
    expect(fromEnvironment({}, 'nodeName')).toBeUndefined();
  });

  it('gives the gossip interval in milliseconds, where it is one', () => {
    expect(gossipInterval({})).toBeUndefined();
    expect(gossipInterval({ MODEL_BRIDGE_GOSSIP_INTERVAL: '60' })).toBe(60_000);
    expect(gossipInterval({ MODEL_RTC_GOSSIP_INTERVAL: '7.5', MODEL_BRIDGE_GOSSIP_INTERVAL: '60' })).toBe(7_500);
    for (const text of ['4', '301', '-1', 'five', '1e2', '0x10', ' 60']) {
      const refusal = expect.objectContaining({ code: 'bad_argument', exitCode: 2 });
      expect(() => gossipInterval({ MODEL_BRIDGE_GOSSIP_INTERVAL: text })).toThrow(refusal);
      expect(() => gossipInterval({ MODEL_BRIDGE_GOSSIP_INTERVAL: text })).toThrow('MODEL_BRIDGE_GOSSIP_INTERVAL must');
    }
  });

  it('gives the id by which other tools know this machine', () => {
    expect(nodeId({ ATMOSPHERE_NODE_ID: 'urn:uuid:0b7d' })).toBe('urn:uuid:0b7d');
    expect(nodeId({ MODEL_RTC_NODE_ID: '7', ATMOSPHERE_NODE_ID: 'no such' })).toBe('7');
    expect(() => nodeId({ ATMOSPHERE_NODE_ID: 'no such' })).toThrow('ATMOSPHERE_NODE_ID must have 1 to 128');
  });

  it('gives the name in meshes, and says which variable has a bad one', async () => {
    expect(await nodeNameIn({ ATMOSPHERE_NODE_NAME: 'gpu-1' })).toBe('gpu-1');
    await expect(nodeNameIn({ ATMOSPHERE_NODE_NAME: 'gpu 1!' })).rejects.toMatchObject({
      ...{ code: 'bad_argument', message: expect.stringMatching(/ATMOSPHERE_NODE_NAME .* gpu-1, not "gpu 1!"/) },
    });
  });
});
