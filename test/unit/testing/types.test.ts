import { describe, expectTypeOf, it } from 'vitest';
import type { Consumer, Headers, LogRecord } from '../../../src/index.ts';
import type { FunctionPath, Overrides, PhaseResult, TestPluginOptions } from '../../../src/testing/index.ts';

/** Code that only has to compile, or not to. */
const compiles = (_options: TestPluginOptions) => undefined;

describe('overrides are typed by the PDK', () => {
  it('names', () => {
    expectTypeOf<'request.getHeader'>().toExtend<FunctionPath>();
    expectTypeOf<
      'ctx.shared.get' | 'log' | 'log.serialize' | 'client.tls.setClientVerify'
    >().toExtend<FunctionPath>();
    expectTypeOf<'request.get_header'>().not.toExtend<FunctionPath>();
    expectTypeOf<'response.exit'>().not.toExtend<keyof Overrides>();
  });

  it('arguments and results', () => {
    type Of<Path extends keyof Overrides> = NonNullable<Overrides[Path]>;
    expectTypeOf<Parameters<Of<'request.getHeader'>>>().toEqualTypeOf<[name: string]>();
    expectTypeOf<ReturnType<Of<'request.getHeaders'>>>().toEqualTypeOf<Headers | Promise<Headers>>();
    expectTypeOf<Awaited<ReturnType<Of<'client.getConsumer'>>>>().toEqualTypeOf<Consumer | null>();
    expectTypeOf<Awaited<ReturnType<Of<'log.serialize'>>>>().toEqualTypeOf<LogRecord>();
    expectTypeOf<Awaited<ReturnType<Of<'request.getRawBody'>>>>().toEqualTypeOf<Buffer>();
    compiles({ override: { 'request.getHeader': (name) => name.toUpperCase() } });
    compiles({ override: { 'vault.get': async () => Promise.resolve('secret') } });
    // @ts-expect-error a header is a text
    compiles({ override: { 'request.getHeader': () => 5 } });
    // @ts-expect-error there is no such function
    compiles({ override: { 'request.getHaeder': () => 'x' } });
    // @ts-expect-error an exit cannot be replaced
    compiles({ override: { 'response.exit': () => 'x' } });
  });
});

describe('descriptions and results are typed', () => {
  it('descriptions', () => {
    compiles({ route: { paths: ['/a'], strip_path: false }, service: null, consumer: { username: 'ada' } });
    compiles({ request: { headers: { a: ['1', '2'] }, query: { flag: true }, body: { any: ['thing'] } } });
    // @ts-expect-error Kong's field is called paths
    compiles({ route: { path: '/a' } });
    // @ts-expect-error there are two protocols
    compiles({ protocol: 'grpc' });
  });

  it('results', () => {
    expectTypeOf<PhaseResult['exit']>().toExtend<{ status: number; body: Buffer; text: string } | null>();
    expectTypeOf<PhaseResult['calls'][number]['arguments']>().toEqualTypeOf<readonly unknown[]>();
  });
});
