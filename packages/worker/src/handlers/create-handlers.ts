import { createChunkServer } from '@model-rtc/transfer';
import type { Handlers } from '@model-rtc/transport';
import { pushModel } from './push-model.ts';
import { checkModelExists, getManifest, getModelInfo, listModels, openModelHere } from './queries.ts';
import type { WorkerServices } from './worker-services.ts';

/** Everything that a worker answers. Which scope each needs is the protocol's: the peer has checked it before these run. */
export function createHandlers(services: WorkerServices): Handlers {
  return {
    list_models: (params) => listModels(services, params),
    get_model_info: (params) => getModelInfo(services, params),
    check_model_exists: (params) => checkModelExists(services, params),
    get_manifest: (params) => getManifest(services, params),
    get_chunks: createChunkServer({ openModel: (digest) => openModelHere(services, digest) }),
    push_model: (params, context) => pushModel(services, params, context),
  };
}
