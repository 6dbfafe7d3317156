import { CHUNK_HEADROOM_BYTES } from '@model-rtc/transport';
import * as core from '../core/serve/chunk-server.ts';
import { loadZstd } from './zstd.ts';

/** The core's chunk server with this machine's zstd, for the lanes of @model-rtc/transport. */
export function createChunkServer(options: core.ChunkServerOptions): core.ChunkServer {
  return core.createChunkServer({ loadZstd, headroomBytes: CHUNK_HEADROOM_BYTES, ...options });
}
