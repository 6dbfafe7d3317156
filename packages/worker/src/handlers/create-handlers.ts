import { explainSystemError } from '@model-rtc/files';
import { type ErrorCode, type Log, type Method, ModelRtcError, scopeMissingError } from '@model-rtc/protocol';
import { createChunkServer, createPartialModels } from '@model-rtc/transfer';
import type { Authority, Handlers } from '@model-rtc/transport';
import { registerModel, unregisterModel } from './change-catalog.ts';
import { checkModelExists } from './check-model-exists.ts';
import { CatalogFetches } from './fetch-model.ts';
import { FollowedChunks } from './follow-chunks.ts';
import { getManifest } from './get-manifest.ts';
import { getModelInfo } from './get-model-info.ts';
import { createJobHandlers } from './jobs/create-job-handlers.ts';
import { JobResults } from './jobs/job-results.ts';
import { listCatalog } from './list-catalog.ts';
import { listModels } from './list-models.ts';
import { OpenPushes } from './open-pushes.ts';
import { planPush } from './plan-push.ts';
import { pushModel } from './push-model.ts';
import { redactError } from './redact-error.ts';
import { logInstalledAtClient } from './report-installed.ts';
import { openModelHere } from './resolve-here.ts';
import { StagedPushes } from './staged-pushes.ts';
import type { Answering, Handler, HandlerContext, HandlerOptions } from './types.ts';

export interface WorkerHandlers {
  /** What a client with this authority is answered. */
  handlersFor(authority: Authority): Handlers;
  /** Waits for pending answers, and closes files that are kept open. Close the peers first. */
  close(): Promise<void>;
}

/** Handlers for all of a worker's requests. The peer has already checked that the client has the scope. */
export function createHandlers(given: HandlerOptions): WorkerHandlers {
  const services: HandlerContext = { ...given, partials: createPartialModels(given.registry.paths.staging) };
  const chunks = createChunkServer({
    openModel: (digest) => openModelHere(services, digest),
    limiter: given.limits?.up,
  });
  const running = new Set<Promise<unknown>>();
  const logFailure = createFailureLog(given.log);
  const answering: Answering = <M extends Method>(handler: Handler<M>): Handler<M> => {
    return async (params, context) => {
      const answer = handler(params, context);
      running.add(answer);
      try {
        return await answer;
      } catch (error) {
        const told = redactError(error);
        logFailure(error, told);
        throw told;
      } finally {
        running.delete(answer);
      }
    };
  };
  const fetches = new CatalogFetches(services);
  const pushes = new OpenPushes();
  const followed = new FollowedChunks(services);
  const staged = new StagedPushes({ paths: given.registry.paths, log: given.log });
  const { jobs } = given;
  const results = jobs === undefined ? undefined : new JobResults({ ...jobs, limiter: given.limits?.up });
  const handlersFor = ({ keyId, scopes }: Authority): Handlers => ({
    list_catalog: answering<'list_catalog'>((params) => listCatalog(services, params)),
    register_model: answering<'register_model'>((params) => registerModel(services, params)),
    unregister_model: answering<'unregister_model'>((params) => unregisterModel(services, params)),
    fetch_model: answering<'fetch_model'>((params, context) => fetches.fetch(params, context)),
    list_models: answering<'list_models'>((params, context) => listModels(services, params, context)),
    get_model_info: answering<'get_model_info'>((params, context) => getModelInfo(services, params, context)),
    check_model_exists: answering<'check_model_exists'>((params) => checkModelExists(services, params)),
    get_manifest: answering<'get_manifest'>((params) => getManifest(services, params)),
    get_chunks: answering<'get_chunks'>(async (params, context) => {
      // A token's own results need "track", everything else "read".
      if (results?.mayRead(keyId ?? '', params.digest) && scopes.includes('track'))
        return await results.serve(params, context);
      if (!scopes.includes('read')) throw scopeMissingError('get_chunks', ['read'], scopes);
      return await chunks(params, context);
    }),
    follow_chunks: answering<'follow_chunks'>((params, context) => followed.follow(params, context)),
    push_model: answering<'push_model'>((params, context) =>
      pushes.run(keyId, params.manifest, () => pushModel({ ...services, staged, keyId }, params, context)),
    ),
    plan_push: answering<'plan_push'>((params) => planPush(services, params)),
    report_installed: answering<'report_installed'>((params, context) =>
      logInstalledAtClient(services, params, context),
    ),
    ...(jobs === undefined || results === undefined
      ? {}
      : createJobHandlers({ ...jobs, jobResults: results, services, answering }, keyId ?? '')),
  });
  async function close(): Promise<void> {
    await services.fresh.close();
    await Promise.allSettled(running);
    await chunks.close();
    await results?.close();
  }
  return { handlersFor, close };
}

/** This machine's own failures, which only its owner can mend. The client is told of them without their paths. */
const OWN_FAILURES: ReadonlySet<ErrorCode> = new Set(['storage', 'storage_full', 'unexpected']);

/** Logs why clients get errors: with a warning when the owner has to do something, once for each message in a row. */
function createFailureLog(log: Log): (error: unknown, told: ModelRtcError) => void {
  let lastWarned = '';
  return (thrown, told) => {
    log.debug({ err: thrown }, 'a client gets an error for an answer');
    const { code, message } = explainSystemError(ModelRtcError.from(thrown));
    if (!OWN_FAILURES.has(code) || message === told.message || message === lastWarned) return;
    lastWarned = message;
    log.warn({ code }, `A client's request failed: ${message}`);
  };
}
