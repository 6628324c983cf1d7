import { createServer } from 'node:net';

/**
 * A web server that does next to nothing, so that the sender is what is measured: it takes any request with a
 * content-length, counts it and answers 200. With `ignore`, it takes requests and never answers.
 */
let received = 0;
let bytes = 0;
let answering = true;
const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const separator = Buffer.from('\r\n\r\n');

const server = createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    let answers = 0;
    for (;;) {
      const end = rest.indexOf(separator, at);
      if (end < 0) break;
      const head = rest.toString('latin1', at, end);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (rest.length < end + 4 + length) break;
      at = end + 4 + length;
      answers += 1;
      bytes += length;
    }
    rest = rest.subarray(at);
    received += answers;
    if (answering) for (let n = 0; n < answers; n += 1) socket.write(answer);
  });
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
process.on('message', (message: { ask?: 'count'; answering?: boolean }) => {
  if (message.answering !== undefined) answering = message.answering;
  process.send?.({ received, bytes });
});

// Ends with the process that started it, whatever becomes of that one.
process.on('disconnect', () => process.exit(0));
