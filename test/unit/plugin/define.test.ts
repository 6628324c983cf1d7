import { describe, expect, it, vi } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { isCompiledPlugin } from '../../../src/plugin/brand.ts';
import { compilePlugin } from '../../../src/plugin/define.ts';
import type { SetupContext } from '../../../src/plugin/types.ts';

const base = { name: 'test', version: '1.0.0' };
const context = {} as SetupContext<unknown>;

describe('definePlugin', () => {
  it('announces the phases it has handlers for, in the order of a request', async () => {
    const plugin = compilePlugin({ ...base, log: () => 'log', access: () => 'access' });
    expect(plugin).toMatchObject({
      priority: 0,
      protocol: 'protobuf',
      onError: 'fail',
      phaseTimeout: 30_000,
      phases: ['access', 'log'],
      schema: { name: 'test', fields: [{ config: { type: 'record', required: true, fields: [] } }] },
    });
    expect(isCompiledPlugin(plugin)).toBe(true);
    const { phases, close } = await plugin.setup(context);
    expect(phases.log?.(null, null)).toBe('log');
    expect(close).toBeNull();
  });

  it('runs setup with its context and binds what it returns', async () => {
    class Counter {
      count = 0;
      access(): number {
        this.count += 1;
        return this.count;
      }
      close(): string {
        return `closed after ${this.count}`;
      }
    }
    const setup = vi.fn(async () => new Counter());
    const plugin = compilePlugin({ ...base, phases: ['access'], setup });
    const handlers = await plugin.setup(context);
    expect(setup).toHaveBeenCalledWith(context);
    expect(handlers.phases.access?.(null, null)).toBe(1);
    expect(handlers.phases.access?.(null, null)).toBe(2);
    expect(handlers.close?.()).toBe('closed after 2');
  });

  it.each<[string, object, RegExp]>([
    ['no name', { ...base, name: '' }, /name is ""/],
    ['a name that Kong refuses', { ...base, name: 'a b' }, /name is "a b".*letters/],
    ['no version', { name: 'x', access: () => 1 }, /version is undefined.*x\.y\.z/],
    ['a version that Kong refuses', { ...base, version: 'v1' }, /version is "v1"/],
    ['a fractional priority', { ...base, priority: 1.5, access: () => 1 }, /priority is 1\.5/],
    ['an unknown protocol', { ...base, protocol: 'grpc', access: () => 1 }, /protocol is "grpc"/],
    ['an unknown onError', { ...base, onError: 'ignore', access: () => 1 }, /onError is "ignore"/],
    ["a limit above Kong's", { ...base, phaseTimeout: 60_000, access: () => 1 }, /phaseTimeout/],
    ['no handler', base, /it has no handler/],
    ['a handler that is not a function', { ...base, access: 1 }, /access is not a function/],
    ['setup without phases', { ...base, setup: () => ({}) }, /phases is undefined.*before setup/],
    ['an unknown phase', { ...base, setup: () => ({}), phases: ['body'] }, /phases is \["body"\]/],
    ['unknown protocols', { ...base, access: () => 1, protocols: ['smtp'] }, /protocols is \["smtp"\]/],
    ['a schema that is not zod 4', { ...base, access: () => 1, config: {} }, /not a zod 4 schema/],
  ])('refuses %s', (_name, definition, message) => {
    expect(() => compilePlugin(definition)).toThrow(kongTsError('PLUGIN_INVALID', message));
  });

  it('refuses a setup that returns other handlers than it announced', async () => {
    const none = compilePlugin({ ...base, phases: ['access'], setup: () => undefined });
    const other = compilePlugin({ ...base, phases: ['access', 'log'], setup: () => ({ log: () => 1 }) });
    await expect(none.setup(context)).rejects.toThrow(/setup returned no handlers/);
    await expect(other.setup(context)).rejects.toThrow(/no handler for access/);
    const more = compilePlugin({ ...base, phases: ['log'], setup: () => ({ access() {}, log() {} }) });
    await expect(more.setup(context)).rejects.toThrow(/a handler for access, which Kong never calls/);
  });
});
