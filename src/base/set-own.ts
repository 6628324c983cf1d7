/**
 * Sets an own property whose name comes from outside (Kong, a client, a file). `__proto__` is a name like any other:
 * a plain assignment would replace the object's prototype, or lose the value.
 * @param name of the property: writable, enumerable and configurable as one that is assigned
 */
export function setOwn<Value>(object: Record<string, Value>, name: string, value: NoInfer<Value>): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else object[name] = value;
}
