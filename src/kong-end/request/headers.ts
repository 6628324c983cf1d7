function keyOf(name: string): string {
  return name.toLowerCase();
}

function variableOf(name: string): string {
  return keyOf(name).replaceAll('-', '_');
}

/**
 * Headers in the order in which they came, several lines per name allowed, names compared without case. `X_Foo` and
 * `x-foo` are two headers: if a plugin sets one, the client's other one still goes to the upstream.
 */
export class HeaderList {
  #lines: [name: string, value: string, key: string][] = [];

  static fromRaw(raw: readonly string[], decode: (text: string) => string): HeaderList {
    const list = new HeaderList();
    for (let i = 0; i + 1 < raw.length; i += 2) list.append(raw[i] as string, decode(raw[i + 1] as string));
    return list;
  }

  /** Adds a line after all others. */
  append(name: string, value: string): void {
    this.#lines.push([name, value, keyOf(name)]);
  }

  /** The first value, null when there is none. */
  get(name: string): string | null {
    const key = keyOf(name);
    for (const line of this.#lines) if (line[2] === key) return line[1];
    return null;
  }

  getAll(name: string): string[] {
    const key = keyOf(name);
    return this.#lines.filter((line) => line[2] === key).map((line) => line[1]);
  }

  /** The values behind nginx's variable of that name (`$http_x_foo`): those of `X_Foo` and of `x-foo`. */
  getAlike(name: string): string[] {
    const variable = variableOf(name);
    return this.#lines.filter((line) => variableOf(line[2]) === variable).map((line) => line[1]);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Replaces every line of that name; the place of the first one is kept. An empty list removes them. */
  set(name: string, value: string | readonly string[]): void {
    const values = typeof value === 'string' ? [value] : value;
    const key = keyOf(name);
    const at = this.#lines.findIndex((line) => line[2] === key);
    const rest = this.#lines.filter((line) => line[2] !== key);
    const added = values.map((each): [string, string, string] => [name, each, key]);
    if (at < 0) rest.push(...added);
    else rest.splice(at, 0, ...added);
    this.#lines = rest;
  }

  delete(name: string): void {
    const key = keyOf(name);
    this.#lines = this.#lines.filter((line) => line[2] !== key);
  }

  clone(): HeaderList {
    const copy = new HeaderList();
    copy.#lines = [...this.#lines];
    return copy;
  }

  /** Kong's table of headers: lower-case names; a string, or a list if the name came several times. */
  toTable(max = 100): Record<string, string | string[]> {
    const table = Object.create(null) as Record<string, string | string[]>;
    for (const [name, value] of max === 0 ? this.#lines : this.#lines.slice(0, max)) {
      const key = name.toLowerCase();
      const before = table[key];
      if (before === undefined) table[key] = value;
      else if (typeof before === 'string') table[key] = [before, value];
      else before.push(value);
    }
    return table;
  }

  [Symbol.iterator](): IterableIterator<[string, string, string]> {
    return this.#lines[Symbol.iterator]();
  }

  /** Bytes that the lines take on the wire, each with its `: ` and line end. */
  get byteLength(): number {
    let total = 0;
    for (const [name, value] of this.#lines) total += name.length + Buffer.byteLength(value) + 4;
    return total;
  }
}
