import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { KEEP_ALIVE_MS, TLS_RECORD_BYTES } from './limits.ts';

/** TLS 1.3 alone. AES-128 is as good as the tokens' 128 bits, and takes least time; any suite of TLS 1.3 will do. */
export const TLS_OPTIONS: SecureContextOptions = {
  minVersion: 'TLSv1.3',
  // No authority is believed, and reading those that Node brings takes time.
  ca: [],
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
};

/** A TLS connection and its current reader: the greeting first, then the lane. */
export interface TlsStream {
  readonly socket: TLSSocket;
  /** Is given what arrives. The bytes are there for the time of the call alone. */
  onBytes: (bytes: Uint8Array) => void;
}

/**
 * Dials. Whatever certificate is shown is accepted: the caller looks at it.
 *
 * What arrives is read into one buffer again and again, which halves the cost of reading.
 */
export function dialTls(address: { readonly host: string; readonly port: number }): TlsStream {
  const buffer = new Uint8Array(TLS_RECORD_BYTES);
  const options = {
    ...address,
    ...TLS_OPTIONS,
    rejectUnauthorized: false,
    // Name no name: the certificate has none, and who watches need not know it.
    servername: '',
    onread: {
      buffer,
      callback(bytes: number) {
        stream.onBytes(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const socket = connect(options as ConnectionOptions);
  tune(socket);
  const stream: TlsStream = { socket, onBytes: ignore };
  return stream;
}

/** The side that listens, over a TCP connection that has just been accepted. Node has no way to reuse a buffer here. */
export function acceptTls(connection: Socket, secureContext: SecureContext): TlsStream {
  const socket = new TLSSocket(connection, { isServer: true, secureContext });
  tune(socket);
  const stream: TlsStream = { socket, onBytes: ignore };
  socket.on('data', (bytes) => stream.onBytes(bytes));
  return stream;
}

function tune(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

function ignore(): void {}
