/** Arguments that a call takes without meeting the end of the stack. */
const CHARACTERS_AT_ONCE = 8192;

/** One character for each byte, as Python has it; the web's decoder of that name moves some. */
export function latin1Text(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHARACTERS_AT_ONCE));
  }
  return text;
}

/** The bytes that a text of such characters stands for. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
