/** A generator of numbers that a seed repeats. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % below;
  };
}

/**
 * A program made of what has hurt interpreters: patterns that backtrack, texts that grow, tables that contain themselves,
 * errors that are caught, functions that call themselves through the library.
 */
export function hostileProgram(seed: number): string {
  const below = random(seed * 7919);
  const pick = (list: readonly string[]): string => list[below(list.length)] ?? '';
  const size = (): string =>
    pick(['0', '1', '7', '100', '1e4', '1e6', '1e9', '1e15', '-1', 'math.huge', '0/0', '2.5']);
  const pattern = (): string =>
    `("${pick(['.-', 'a?', 'a*', '(.*)', '%bxy', '%b()', '[a-z]-', '%f[a]', '()', '%1', '[^b]*', '.'])}"):rep(${pick(['1', '3', '20', '300'])}) .. "${pick(['b', '$', '%1', 'a', ''])}"`;
  const text = (): string =>
    pick([
      `("${pick(['a', 'xy', '(', ' ', '\\0', '%', '('])}"):rep(${pick(['10', '1e3', '1e5', '1e6'])})`,
      's',
      's .. s',
      'tostring(t)',
      '("x"):rep(3) .. 10 / 4',
    ]);
  const call = (): string =>
    pick([
      `string.find(${text()}, ${pattern()})`,
      `string.match(${text()}, ${pattern()})`,
      `string.gsub(${text()}, ${pattern()}, ${pick(['"%0%0"', 'f', 't', '""', 's'])})`,
      `(function() for _ in string.gmatch(${text()}, ${pattern()}) do end end)()`,
      `string.rep(${text()}, ${size()}, ${pick(['""', 's'])})`,
      `string.format("%${pick(['5', '99', '0'.repeat(50), '.99', '-', ''])}${pick(['d', 's', 'f', 'q', 'x', 'p'])}", ${pick([text(), size(), 't'])})`,
      `table.concat(t, ${text()}, ${size()}, ${size()})`,
      `table.sort(t, ${pick(['f', 'nil', 'function() return true end'])})`,
      `table.insert(t, ${pick(['1', '#t + 1'])}, ${pick(['t', 's', '1'])})`,
      `table.remove(t, 1)`,
      `table.move(t, ${size()}, ${size()}, ${size()})`,
      `unpack(t, ${size()}, ${size()})`,
      `select(${size()}, unpack(t))`,
      `kong.echo(${pick(['t', 's', '{t, t}', 'f'])})`,
      `kong.record()`,
      `coroutine.wrap(f)()`,
      `tostring(${pick(['t', 'f', size()])})`,
      `bit.lshift(${size()}, ${size()})`,
      `os.date(${text()}, ${size()})`,
      `math.random(${size()}, ${size()})`,
      `error(${pick(['t', 's', 'f', 'nil'])})`,
    ]);
  const statement = (depth: number): string => {
    return pick([
      `pcall(function() return ${call()} end) `,
      `pcall(function() ${body(depth - 1)} end) `,
      `for i = 1, ${pick(['3', '100', '1e5'])} do ${body(depth - 1)} end `,
      `while true do ${body(depth - 1)} end `,
      `s = ${text()} `,
      `t = {t, ${pick(['t', 's', '1'])}} `,
      `t[#t + 1] = ${pick(['t', 's', '{}'])} `,
      `xpcall(function() ${body(depth - 1)} end, f) `,
      `coroutine.wrap(function() ${body(depth - 1)} end)() `,
      `local _ = ${call()} `,
    ]);
  };
  const body = (depth: number): string => {
    let out = '';
    for (let i = 0; i <= below(3); i++) {
      out += depth <= 0 ? `pcall(function() return ${call()} end) ` : statement(depth);
    }
    return out;
  };
  return `local s, t, f = "a", {1, 2, 3}
f = function(...) ${body(1)} return ${pick(['1', 's', 't', 'f(...)', '...'])} end
${body(3)} return ${pick(['s', 't', 'f()', '#s'])}`;
}
