export { type ConsentInMeshOptions, consentInMesh } from './manage/consent.ts';
export { createMesh } from './manage/create-mesh.ts';
export { inviteToMesh } from './manage/invite.ts';
export { joinMesh } from './manage/join-mesh.ts';
export { leaveMesh, removeFromMesh, trustInMesh } from './manage/members.ts';
export { type OpenMeshOptions, openMesh } from './open-mesh.ts';
export { MeshNodes, type OpenMeshNodesOptions, openMeshNodes } from './open-mesh-nodes.ts';
export { announcedFormat, announcedSource, OwnModels } from './own/own-models.ts';
export { joinedMeshes } from './state/mesh-folders.ts';
