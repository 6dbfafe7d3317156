export type { HubAccessOptions } from './access/access.ts';
export { openHub } from './open-hub.ts';
export { HubProvider, type HubProviderOptions } from './provider/hub-provider.ts';
export { shareFromHub } from './provider/share-from-hub.ts';
export { hubReferenceText, isHubReference, parseHubReference } from './reference.ts';
export type { Hub, HubLicense, HubModel, HubReference } from './types.ts';
