import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that was let in. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** GET, HEAD or POST. */
  readonly method: string;
  /** The parts of the path, decoded; a slash in one was written as `%2F`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** The address under which the client reached the bridge, such as `http://localhost:14345`. */
  readonly origin: string;
  /** Aborts when the client is gone or the bridge closes. */
  readonly signal: AbortSignal;
}

/** An API of the bridge: answers, or throws what `describe` then says in its own form. */
export interface Api {
  readonly name: string;
  answer(asked: Asked): Promise<void>;
  /** How clients of this API expect an error. */
  describe(problem: HttpProblem): ErrorAnswer;
}

export interface HttpProblem {
  readonly status: number;
  /** A code of `ERROR_CODES`, or a finer one of the API. */
  readonly code: string;
  readonly message: string;
}

export interface ErrorAnswer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}
