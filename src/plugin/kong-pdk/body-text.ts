import { Buffer } from 'node:buffer';

/**
 * Bodies for plugins written for kong-pdk. Kong 2 sent them as strings and Kong 3 sends bytes, so plugins treat them
 * as either: this is a Buffer that also has the methods of a string (on its text, as UTF-8), and that becomes its
 * text when it is joined to a string.
 */
const bufferPrototype = Buffer.prototype as object;
const prototype = Object.create(bufferPrototype) as object;

for (const name of Object.getOwnPropertyNames(String.prototype)) {
  const method: unknown = Reflect.get(String.prototype, name);
  if (typeof method !== 'function' || name in bufferPrototype) continue;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: Buffer, ...args: unknown[]): unknown {
      return Reflect.apply(method, this.toString(), args);
    },
  });
}

export function bodyText(bytes: Uint8Array): Buffer {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  Object.setPrototypeOf(body, prototype);
  return body;
}
