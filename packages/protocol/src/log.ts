/** Where a library reports what a person may want to know later. A pino logger is one. Libraries never print. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {} };
