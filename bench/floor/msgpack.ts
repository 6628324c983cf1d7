import { createServer } from 'node:net';
import { encode } from '@msgpack/msgpack';

/**
 * A MsgPack:1 server without any logic: it writes prepared bytes for each read. Its events ask for as many calls as
 * `kong-ts` makes of three getters and a setter, and the event's id says how many have been answered. So it shows what the
 * sockets, Node and the load generator cost by themselves.
 */
const [path = ''] = process.argv.slice(2);

const answer = (result: unknown): Buffer => Buffer.from(encode([1, 0, null, result]));
const call = (EventId: number, Method: string, Args: unknown[]): Buffer =>
  answer({ EventId, Data: { Method, Args } });

const instance = answer({ Id: 1, Name: 'bare', Config: '{}', StartTime: 0 });
const getHeaders = call(1, 'kong.request.get_headers', []);
const setHeader = call(2, 'kong.response.set_header', ['x-bench', '1']);
const end = answer({ EventId: 2, Data: 'ret' });
const secondStep = Buffer.from(encode({ EventId: 2 })).subarray(1);

function reply(request: Buffer): Buffer {
  if (request.includes('HandleEvent')) return getHeaders;
  if (request.includes('StartInstance')) return instance;
  return request.includes(secondStep) ? end : setHeader;
}

createServer((socket) => {
  socket.on('data', (bytes) => socket.write(reply(bytes)));
  socket.on('error', () => socket.destroy());
}).listen(path);
