import type { Socket } from 'node:net';
import { createServer } from 'node:net';

/**
 * A log endpoint in a process of its own that does next to nothing: it takes any request with a content-length, counts
 * requests and bytes, and with `marker` finds the records in the bodies by the number that follows the marker, so that
 * each of them is seen to come, and how often.
 */
interface Order {
  /** `accept`: 200; `refuse`: 503, nothing is counted as received; `silent`: no answer, nothing is counted either. */
  readonly mode?: 'accept' | 'refuse' | 'silent';
  /** What stands before a record's number of eight digits; with it the records are counted one by one. */
  readonly marker?: string;
  /** Forgets what was counted. */
  readonly reset?: boolean;
}

let mode: NonNullable<Order['mode']> = 'accept';
let marker: Buffer | null = null;
let requests = 0;
let bytes = 0;
let distinct = 0;
let repeated = 0;
let refused = 0;
let seen = new Uint8Array(0);

const accepted = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const unavailable = Buffer.from('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n');
const separator = Buffer.from('\r\n\r\n');

function find(body: Buffer, wanted: Buffer): void {
  for (let at = body.indexOf(wanted); at >= 0; at = body.indexOf(wanted, at + wanted.length)) {
    const number = Number(body.toString('latin1', at + wanted.length, at + wanted.length + 8));
    if (number >= seen.length) {
      const larger = new Uint8Array(Math.max(1_048_576, number * 2));
      larger.set(seen);
      seen = larger;
    }
    if (seen[number] === 1) repeated += 1;
    else distinct += 1;
    seen[number] = 1;
  }
}

class Connection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes of head and body of the current request, 0 while its head is not complete. */
  #size = 0;
  #head = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (this.#size === 0) {
        const head = this.#whole();
        const end = head.indexOf(separator);
        if (end < 0) return;
        this.#head = end + 4;
        this.#size =
          this.#head + Number(/content-length: *(\d+)/i.exec(head.toString('latin1', 0, end))?.[1] ?? 0);
      }
      if (this.#held < this.#size) return;
      const all = this.#whole();
      this.#answer(all.subarray(this.#head, this.#size));
      const rest = all.subarray(this.#size);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
      this.#size = 0;
      if (rest.length === 0) return;
    }
  }

  #whole(): Buffer {
    const [only] = this.#chunks;
    const whole = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  #answer(body: Buffer): void {
    if (mode === 'accept') {
      requests += 1;
      bytes += body.length;
      if (marker !== null) find(body, marker);
      this.#socket.write(accepted);
    } else {
      refused += 1;
      if (mode === 'refuse') this.#socket.write(unavailable);
    }
  }
}

const server = createServer((socket) => void new Connection(socket));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  mode = order.mode ?? mode;
  marker = order.marker === undefined ? marker : Buffer.from(order.marker);
  if (order.reset === true) {
    [requests, bytes, distinct, repeated, refused] = [0, 0, 0, 0, 0];
    seen = new Uint8Array(0);
  }
  process.send?.({ requests, bytes, distinct, repeated, refused });
});
