import { describe, expectTypeOf, it } from 'vitest';
import type { namespaces } from '../../src/pdk/catalogue.ts';
import type {
  Consumer,
  Headers,
  HttpLogRecord,
  JsonValue,
  Kong,
  KongApi,
  LogRecord,
  Phase,
  Protocol,
  Query,
  Route,
  StreamLogRecord,
} from '../../src/pdk/index.ts';

type Specs = typeof namespaces;

/** The functions of a namespace that can be called. */
type CalledIn<Api> = {
  [Name in keyof Api]: Api[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Api];

/** Code that only has to compile, or not to. */
const compiled = (..._code: ((...args: never[]) => unknown)[]) => undefined;

describe('a handler sees what its phase has', () => {
  it('log', () => {
    type Log = Kong<'log', 'msgpack'>;
    expectTypeOf<Log['log']['serialize']>().returns.resolves.toEqualTypeOf<LogRecord>();
    expectTypeOf<CalledIn<Log['client']>>().toEqualTypeOf<'getCredential' | 'loadConsumer' | 'getConsumer'>();
    expectTypeOf<Log>().not.toHaveProperty('tracing');
    compiled(
      // @ts-expect-error the client's address cannot be asked for in the log phase
      (kong: Log) => kong.client.getForwardedIp(),
      // @ts-expect-error nor the method of the request
      (kong: Log) => kong.request.getMethod(),
      // @ts-expect-error the response is over
      (kong: Log) => kong.response.exit(200),
      // @ts-expect-error nginx variables are gone
      (kong: Log) => kong.nginx.getVar('x'),
      (kong: Log) => kong.request.getHeaders(),
      (kong: Log) => kong.log.serializeRaw(),
    );
  });

  it('certificate', () => {
    compiled(
      (kong: Kong<'certificate', 'msgpack'>) => kong.client.tls.requestClientCertificate(),
      // @ts-expect-error there is no request yet
      (kong: Kong<'certificate', 'msgpack'>) => kong.request.getMethod(),
      // @ts-expect-error ProtoBuf:1 has nothing of the client there
      (kong: Kong<'certificate', 'protobuf'>) => kong.client.tls.requestClientCertificate(),
      // @ts-expect-error no response either
      (kong: Kong<'certificate', 'protobuf'>) => kong.response.exit(200),
      (kong: Kong<'certificate', 'protobuf'>) => kong.ctx.shared.set('k', 1),
    );
  });

  it('rewrite, access, response and preread', () => {
    compiled(
      // @ts-expect-error no route is known in rewrite
      (kong: Kong<'rewrite', 'msgpack'>) => kong.router.getRoute(),
      (kong: Kong<'access', 'protobuf'>) => kong.router.getRoute(),
      // @ts-expect-error nothing came back yet
      (kong: Kong<'access', 'protobuf'>) => kong.service.response.getBody(),
      (kong: Kong<'response', 'protobuf'>) => kong.service.response.getBody(),
      // @ts-expect-error the request has been sent
      (kong: Kong<'response', 'protobuf'>) => kong.service.request.setPath('/'),
      (kong: Kong<'preread', 'protobuf'>) => kong.service.setTarget('h', 1),
      // @ts-expect-error a stream has no headers
      (kong: Kong<'preread', 'protobuf'>) => kong.request.getHeader('x'),
      // @ts-expect-error body_filter only, which no external plugin sees
      (kong: Kong<'response', 'msgpack'>) => kong.response.getRawBody(),
    );
  });
});

describe('a handler sees what its protocol has', () => {
  it('ProtoBuf:1 has the composed functions and not the others', () => {
    type Access = Kong<'access', 'protobuf'>;
    compiled(
      (kong: Access) => kong.response.error(403),
      (kong: Access) => kong.request.getRawPath(),
      (kong: Access) => kong.service.request.setBody({ a: 1 }, 'application/json'),
      // @ts-expect-error the vault needs MsgPack:1
      (kong: Access) => kong.vault.get('{vault://env/x}'),
      // @ts-expect-error and timeouts
      (kong: Access) => kong.service.setTimeouts(1, 1, 1),
      // @ts-expect-error and the cluster
      (kong: Access) => kong.cluster.getId(),
      // @ts-expect-error and telemetry
      (kong: Access) => kong.telemetry.log('a', {}, '', 'b'),
      (kong: Kong<'access', 'msgpack'>) => kong.vault.get('{vault://env/x}'),
      (kong: Kong<'access', 'msgpack'>) => kong.service.setRetries(1),
    );
  });

  it('of several phases or protocols, what all of them have', () => {
    compiled(
      (kong: Kong<'access' | 'response', 'msgpack'>) => kong.request.getMethod(),
      // @ts-expect-error not in log
      (kong: Kong<'access' | 'log', 'msgpack'>) => kong.request.getMethod(),
      // @ts-expect-error not over ProtoBuf:1
      (kong: Kong<'access', Protocol>) => kong.vault.get('{vault://env/x}'),
      (kong: Kong) => kong.log('everywhere'),
      (kong: Kong) => kong.ctx.shared.get('everywhere'),
    );
  });

  it('the complete object goes where any part of it is wanted', () => {
    expectTypeOf<KongApi>().toExtend<Kong<'access', 'protobuf'>>();
    expectTypeOf<KongApi>().toExtend<Kong<'log', 'msgpack'>>();
    expectTypeOf<KongApi>().toExtend<Kong<Phase, Protocol>>();
  });
});

describe('the signatures', () => {
  it('cover the catalogue, name by name', () => {
    type Own<Path extends keyof Specs> = keyof Specs[Path];
    expectTypeOf<keyof KongApi['request']>().toEqualTypeOf<Own<'kong.request'>>();
    expectTypeOf<keyof KongApi['response']>().toEqualTypeOf<Own<'kong.response'>>();
    expectTypeOf<keyof KongApi['service']['request']>().toEqualTypeOf<Own<'kong.service.request'>>();
    expectTypeOf<keyof KongApi['service']['response']>().toEqualTypeOf<Own<'kong.service.response'>>();
    expectTypeOf<Exclude<keyof KongApi['service'], 'request' | 'response'>>().toEqualTypeOf<
      Own<'kong.service'>
    >();
    expectTypeOf<Exclude<keyof KongApi['client'], 'tls'>>().toEqualTypeOf<Own<'kong.client'>>();
    expectTypeOf<keyof KongApi['client']['tls']>().toEqualTypeOf<Own<'kong.client.tls'>>();
    expectTypeOf<Exclude<keyof KongApi['log'], 'serializeRaw'>>().toEqualTypeOf<Own<'kong.log'>>();
    expectTypeOf<keyof KongApi['nginx']>().toEqualTypeOf<Own<'kong.nginx'>>();
    expectTypeOf<keyof KongApi['node']>().toEqualTypeOf<Own<'kong.node'>>();
    expectTypeOf<keyof KongApi['router']>().toEqualTypeOf<Own<'kong.router'>>();
    expectTypeOf<keyof KongApi['vault']>().toEqualTypeOf<Own<'kong.vault'>>();
    expectTypeOf<keyof KongApi['ctx']['shared']>().toEqualTypeOf<Own<'kong.ctx.shared'>>();
  });

  it('say what comes back', () => {
    type Access = Kong<'access', 'protobuf'>;
    expectTypeOf<Access['request']['getHeader']>().returns.resolves.toEqualTypeOf<string | null>();
    expectTypeOf<Access['request']['getHeaders']>().returns.resolves.toEqualTypeOf<Headers>();
    expectTypeOf<Access['request']['getQuery']>().returns.resolves.toEqualTypeOf<Query>();
    expectTypeOf<Access['request']['getQueryArg']>().returns.resolves.toEqualTypeOf<string | true | null>();
    expectTypeOf<Access['request']['getRawBody']>().returns.resolves.toEqualTypeOf<Buffer>();
    expectTypeOf<Access['router']['getRoute']>().returns.resolves.toEqualTypeOf<Route | null>();
    expectTypeOf<Access['client']['getConsumer']>().returns.resolves.toEqualTypeOf<Consumer | null>();
    expectTypeOf<Access['response']['exit']>().returns.resolves.toEqualTypeOf<never>();
    expectTypeOf<Access['ctx']['shared']['get']>().returns.resolves.toEqualTypeOf<JsonValue>();
  });

  it('refuse what Kong would refuse', () => {
    type Access = Kong<'access', 'protobuf'>;
    compiled(
      // @ts-expect-error a method that nginx does not know
      (kong: Access) => kong.service.request.setMethod('CONNECT'),
      // @ts-expect-error a scheme that is none
      (kong: Access) => kong.service.request.setScheme('grpc'),
      // @ts-expect-error headers are text, numbers or booleans
      (kong: Access) => kong.response.setHeader('x', { a: 1 }),
      // @ts-expect-error a status is a number
      (kong: Access) => kong.response.exit('403'),
      // @ts-expect-error a body is text or bytes
      (kong: Access) => kong.service.request.setRawBody(5),
    );
  });

  it('tell log records of HTTP and of streams apart', () => {
    compiled((record: LogRecord) => {
      if (record.request === undefined) return expectTypeOf(record).toEqualTypeOf<StreamLogRecord>();
      expectTypeOf(record.request.method).toBeString();
      return expectTypeOf(record).toEqualTypeOf<HttpLogRecord>();
    });
    expectTypeOf<HttpLogRecord['tries']>().not.toBeAny();
    expectTypeOf<HttpLogRecord['request']['querystring']>().toEqualTypeOf<
      Record<string, string | true | (string | true)[]>
    >();
  });
});
