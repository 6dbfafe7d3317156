import { timingSafeEqual } from 'node:crypto';
import type { DirectOffer } from '../../core/connect/components.ts';
import { certificateDigest } from './certificate.ts';
import { DirectLane } from './direct-lane.ts';
import { decodeWelcome, encodeGreeting, WELCOME_BYTES } from './greeting.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import type { DirectAddress } from './listen.ts';
import { dialTls, type TlsStream } from './tls-stream.ts';

/**
 * Connects to one address of an offer: TLS, the certificate, the token, the welcome.
 *
 * @param signal closes the connection, unless it has become a lane.
 * @throws Error that says, in few words, why it led to no lane
 */
export function dialAddress(address: DirectAddress, offer: DirectOffer, signal: AbortSignal): Promise<DirectLane> {
  return new Promise((resolve, reject) => {
    const stream = dialTls(address);
    const { socket } = stream;
    const stop = () => socket.destroy();
    const fail = (error: Error) => {
      signal.removeEventListener('abort', stop);
      stop();
      reject(error);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection was closed')));
    socket.on('secureConnect', () => {
      if (isPinned(stream, offer.certificate)) {
        socket.write(encodeGreeting({ maxMessageSize: MAX_MESSAGE_BYTES, token: offer.token }));
      } else fail(new Error('another certificate than the offered one: this is not the worker'));
    });
    awaitWelcome(stream, fail, (otherTakes) => {
      signal.removeEventListener('abort', stop);
      resolve(new DirectLane(stream, otherTakes));
    });
  });
}

function isPinned({ socket }: TlsStream, digest: Uint8Array): boolean {
  const certificate = socket.getPeerX509Certificate()?.raw;
  return certificate !== undefined && timingSafeEqual(certificateDigest(certificate), digest);
}

/** What follows the welcome at once is the lane's already. */
function awaitWelcome(
  stream: TlsStream,
  onFailure: (error: Error) => void,
  onWelcome: (otherTakes: number) => void,
): void {
  const welcome = Buffer.alloc(WELCOME_BYTES);
  let filled = 0;
  stream.onBytes = (bytes) => {
    const part = bytes.subarray(0, WELCOME_BYTES - filled);
    welcome.set(part, filled);
    filled += part.byteLength;
    if (filled < WELCOME_BYTES) return;
    const otherTakes = decodeWelcome(welcome);
    if (otherTakes === undefined) {
      onFailure(new Error('it speaks another version of the protocol'));
      return;
    }
    onWelcome(otherTakes);
    const rest = bytes.subarray(part.byteLength);
    if (rest.byteLength > 0) stream.onBytes(rest);
  };
}
