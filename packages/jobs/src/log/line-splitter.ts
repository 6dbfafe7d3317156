import { MAX_LOG_LINE_CHARS } from '@model-rtc/protocol';

export interface OutputLine {
  readonly text: string;
  /** A carriage return ended it: the program draws over it, as progress bars do. */
  readonly isDrawnOver: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts what a program writes into lines, with bounded memory: a line that is longer than a log line comes in pieces. Bytes that
 * are not UTF-8 become replacement characters.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): OutputLine[] {
    return this.#cut(this.#decoder.decode(bytes, { stream: true }), false);
  }

  /** What is left without an end. */
  end(): OutputLine[] {
    const lines = this.#cut(this.#decoder.decode(), true);
    if (this.#rest !== '') lines.push({ text: this.#rest, isDrawnOver: false });
    this.#rest = '';
    return lines;
  }

  #cut(added: string, isEnd: boolean): OutputLine[] {
    const text = this.#rest + added;
    const lines: OutputLine[] = [];
    let start = 0;
    // The rest may end with a carriage return.
    for (let at = Math.max(this.#rest.length - 1, 0); at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== LINE_FEED && code !== CARRIAGE_RETURN) continue;
      const isReturn = code === CARRIAGE_RETURN;
      // Whether a line feed follows is known with the next bytes.
      if (isReturn && at + 1 === text.length && !isEnd) break;
      const isPair = isReturn && text.charCodeAt(at + 1) === LINE_FEED;
      const last = addPieces(lines, text.slice(start, at));
      lines.push({ text: last, isDrawnOver: isReturn && !isPair });
      if (isPair) at++;
      start = at + 1;
    }
    this.#rest = addPieces(lines, text.slice(start));
    return lines;
  }
}

/** Adds the pieces of a text that are followed by more of it. @returns the last piece */
function addPieces(lines: OutputLine[], text: string): string {
  let start = 0;
  while (text.length - start > MAX_LOG_LINE_CHARS) {
    let end = start + MAX_LOG_LINE_CHARS;
    if (isHighSurrogate(text.charCodeAt(end - 1))) end--;
    lines.push({ text: text.slice(start, end), isDrawnOver: false });
    start = end;
  }
  return start === 0 ? text : text.slice(start);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
