export * from './core/index.ts';
export * from './node/index.ts';
export * from './policy/index.ts';
export { chooseHolders, compareNodes } from './select/choose-holders.ts';
export { findNode } from './select/find-node.ts';
export type {
  ConsentRule,
  Mesh,
  MeshHolder,
  MeshMember,
  MeshModel,
  MeshModelFilter,
  MeshModelHolders,
  MeshNodeInfo,
  MeshOutcome,
  MeshProperty,
  MeshReach,
  MeshRole,
} from './types.ts';
