// Publishes an event and emits three, from a program that is not kong-ts. Plain JavaScript, with @grpc/grpc-js and
// protobufjs; in another language it is the same proto file.
//
//   kong-ts hooks serve --listen unix:/tmp/hooks.sock --admin 127.0.0.1:8011 --allow-loopback
//   node examples/event-hooks-client/client.js unix:/tmp/hooks.sock
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const [address = 'unix:/tmp/hooks.sock', token] = process.argv.slice(2);
// Of the package, wherever this file lies.
const proto = readFileSync(new URL(import.meta.resolve('kong-ts/proto/event_hooks.proto')), 'utf8');
const service = protobuf.parse(proto).root.lookupService('kongts.eventhooks.v1.EventHooks');

const client = new grpc.Client(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);

/** What grpc-js needs to know about a method: its path, and how messages become bytes and back. */
function method(name) {
  const { resolvedRequestType: request, resolvedResponseType: response } = service.methods[name].resolve();
  return [
    `/kongts.eventhooks.v1.EventHooks/${name}`,
    (value) => Buffer.from(request.encode(value).finish()),
    (bytes) => response.toObject(response.decode(bytes), { longs: Number }),
  ];
}

const declarations = [
  {
    source: 'example',
    event: 'greeting',
    fields: ['name', 'n'],
    unique: ['name'],
    description: 'Somebody said hello',
  },
];
await new Promise((resolve, reject) => {
  client.makeUnaryRequest(...method('Publish'), { declarations }, metadata, (error) =>
    error ? reject(error) : resolve(),
  );
});

const stream = client.makeBidiStreamRequest(...method('Emit'), metadata);
const events = [1, 2, 3].map((n) => ({
  id: randomUUID(),
  source: 'example',
  event: 'greeting',
  data: JSON.stringify({ name: 'world', n }),
}));
stream.write({ batch: 1, events });
for await (const { interest, ack } of stream) {
  // Which events any hook wants: others need not be sent.
  if (interest) console.log('wanted:', JSON.stringify(interest.wanted ?? []));
  // The events are stored: the dispatcher delivers them now, whatever happens to this program.
  if (ack) {
    console.log(ack.error ? `refused: ${ack.error}` : `acknowledged batch ${ack.batch}`);
    stream.end();
  }
}
client.close();
