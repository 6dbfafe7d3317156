export type { HubAccessOptions } from './access/access.ts';
export { hubCacheFolders, PUBLIC_ENDPOINT } from './access/settings.ts';
export { openHub } from './open-hub.ts';
export { HubProvider, type HubProviderOptions } from './provider/hub-provider.ts';
export { type HubSharing, shareFromHub } from './provider/share-from-hub.ts';
export { hubReferenceText, isHubReference, parseHubReference } from './reference.ts';
export type { Hub, HubFile, HubLicense, HubModel, HubProblem, HubReference } from './types.ts';
