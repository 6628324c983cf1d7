/** Values as Lua writes them into Kong's messages. */

const significantDigits = 14;

/** `tostring`: numbers with up to 14 significant digits, as LuaJIT's `%.14g`. */
export function luaToString(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nil';
  if (typeof value === 'number') return luaNumber(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return 'table';
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : typeof value;
}

function luaNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const exponent = Number(value.toExponential(significantDigits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= significantDigits) {
    const [mantissa = '', power = '0'] = value.toExponential(significantDigits - 1).split('e');
    const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    const sign = power.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return String(Number(value.toPrecision(significantDigits)));
}

/** `%d` of a number: cut to an integer. */
export function luaInteger(value: unknown): string {
  return typeof value === 'number' ? String(Math.trunc(value) + 0) : luaToString(value);
}

/** `'a', 'b'`, nested lists in brackets. */
export function quotedList(words: readonly unknown[]): string {
  return words
    .map((word) =>
      Array.isArray(word) ? `(${quotedList(word as readonly unknown[])})` : `'${luaToString(word)}'`,
    )
    .join(', ');
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const keywords = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

/**
 * A table as Penlight's `pretty.write` shows it: on one line without spaces (`{id="x"}`) when `space` is empty,
 * otherwise indented by `space`.
 */
export function prettyTable(value: unknown, space = '  '): string {
  return write(value, '', space);
}

function write(value: unknown, indent: string, space: string): string {
  if (typeof value === 'string') return quoteString(value);
  if (typeof value !== 'object') return luaToString(value);
  if (value === null) return '"userdata: NULL"';
  const inner = indent + space;
  const assign = space === '' ? '=' : ' = ';
  const items: string[] = [];
  if (Array.isArray(value)) {
    (value as unknown[]).forEach((item, index, list) => {
      if (item === null || item === undefined) return;
      const hole = list.slice(0, index).some((before) => before === null || before === undefined);
      items.push(`${hole ? `[${index + 1}]${assign}` : ''}${write(item, inner, space)}`);
    });
  } else {
    for (const key of Object.keys(value).sort()) {
      const item = (value as Record<string, unknown>)[key];
      const name = identifier.test(key) && !keywords.has(key) ? key : `[${quoteString(key)}]`;
      items.push(`${name}${assign}${write(item, inner, space)}`);
    }
  }
  if (items.length === 0) return space === '' ? '{}' : `{\n${indent}}`;
  if (space === '') return `{${items.join(',')}}`;
  return `{\n${items.map((item) => inner + item).join(',\n')}\n${indent}}`;
}

function quoteString(value: string): string {
  if (value.includes('\n') && !value.includes(']]')) return `[[\n${value}]]`;
  return `"${value.replace(/[\\"\n\r\0]/g, (char) => (char === '\n' ? '\\n' : char === '\r' ? '\\r' : char === '\0' ? '\\0' : `\\${char}`))}"`;
}
