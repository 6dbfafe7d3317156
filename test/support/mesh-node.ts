import type { MeshNodeInfo } from '@model-rtc/mesh';

/** A worker of a mesh that is present and trusted, as others see it; its key is its name unless another is given. */
export function meshNode(name: string, more: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return {
    ...{
      key: name,
      name,
      role: 'worker',
      tags: [],
      properties: {},
      urls: [],
      fetching: [],
      sequence: 1,
      modelCount: 1,
    },
    ...{ heardAt: new Date(0), isPresent: true, isSelf: false, isTrusted: true, reliability: 1, ...more },
  };
}
