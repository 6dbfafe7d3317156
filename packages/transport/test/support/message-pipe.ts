/** What is pushed comes out of the iterator, in order; it never ends by itself. */
export interface MessagePipe<T> extends AsyncIterable<T> {
  push(message: T): void;
}

export function createMessagePipe<T>(): MessagePipe<T> {
  const messages: T[] = [];
  let wake = () => {};
  return {
    push(message) {
      messages.push(message);
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        for (let next = messages.shift(); next !== undefined; next = messages.shift()) yield next;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
