import type { KongSchema } from '../types.ts';

/**
 * A plugin's schema as the Lua file that Kong keeps beside a Lua plugin (schema.lua): for Konnect and for control
 * planes that validate configurations without running the plugin server.
 */
export function luaSource(schema: KongSchema): string {
  return `-- Written by kong-ts from the plugin's own schema; change it there.\nreturn ${lua(schema, '')}\n`;
}

function lua(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'ngx.null';
  if (typeof value === 'number') return luaNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return luaString(value);
  const inner = `${indent}  `;
  const entries = Array.isArray(value)
    ? value.map((item) => lua(item, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${luaKey(key)} = ${lua(item, inner)}`);
  if (entries.length === 0) return '{}';
  const short = `{ ${entries.join(', ')} }`;
  if (short.length + indent.length <= 100 && !short.includes('\n')) return short;
  return `{\n${entries.map((entry) => `${inner}${entry},`).join('\n')}\n${indent}}`;
}

function luaNumber(value: number): string {
  // LuaJIT reads all digits of a double as JavaScript writes them.
  return String(value);
}

const keywords = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

function luaKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) && !keywords.has(key) ? key : `[${luaString(key)}]`;
}

/** Bytes that are not printable ASCII are written as decimal escapes: UTF-8 survives whatever reads the file. */
function luaString(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    if (byte === 0x22 || byte === 0x5c) escaped += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) escaped += String.fromCharCode(byte);
    else escaped += `\\${String(byte).padStart(3, '0')}`;
  }
  return `"${escaped}"`;
}
