import type { MessageWriter, StepMethod } from '../../wire/msgpack/index.ts';

/** Which twin of plugin.Step carries a function's result (Kong 3.9.3). */
const methods: Readonly<Record<string, StepMethod>> = {
  'kong.client.get_credential': 'plugin.StepCredential',
  'kong.client.load_consumer': 'plugin.StepConsumer',
  'kong.client.get_consumer': 'plugin.StepConsumer',
  'kong.client.authenticate': 'plugin.StepCredential',
  'kong.node.get_memory_stats': 'plugin.StepMemoryStats',
  'kong.router.get_route': 'plugin.StepRoute',
  'kong.router.get_service': 'plugin.StepService',
  'kong.request.get_query': 'plugin.StepMultiMap',
  'kong.request.get_headers': 'plugin.StepMultiMap',
  'kong.response.get_headers': 'plugin.StepMultiMap',
  'kong.service.response.get_headers': 'plugin.StepMultiMap',
};

export function stepMethod(method: string): StepMethod {
  return Object.hasOwn(methods, method) ? (methods[method] as StepMethod) : 'plugin.Step';
}

/** Writes the Data of a step. Null if the function returned nil, and Data is left out. */
export function stepData(method: string, result: unknown): ((writer: MessageWriter) => void) | null {
  if (result === null || result === undefined) return null;
  if (stepMethod(method) === 'plugin.StepMultiMap') return (writer) => writer.value(multiMap(result));
  if (method === 'kong.request.get_uri_captures')
    return (writer) => writeCaptures(writer, result as { unnamed: string[]; named: Record<string, string> });
  return (writer) => writer.value(asLuaTable(result));
}

/** Every value an array; a valueless argument is an empty one. */
function multiMap(table: object): Record<string, unknown[]> {
  const map = Object.create(null) as Record<string, unknown[]>;
  for (const [name, value] of Object.entries(table))
    map[name] = value === true ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  return map;
}

/** Captures count from 0, so that Lua's table of them is a map with integer keys. */
function writeCaptures(
  writer: MessageWriter,
  captures: { unnamed: string[]; named: Record<string, string> },
): void {
  writer.map(2);
  writer.text('unnamed');
  if (captures.unnamed.length === 0) writer.array(0);
  else {
    writer.map(captures.unnamed.length);
    captures.unnamed.forEach((value, index) => {
      writer.number(index);
      writer.text(value);
    });
  }
  writer.text('named');
  writer.value(asLuaTable(captures.named));
}

/** An empty Lua table travels as an empty array; members that are nil are not there. */
function asLuaTable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asLuaTable);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  if (entries.length === 0) return [];
  const table = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of entries) table[name] = asLuaTable(member);
  return table;
}
