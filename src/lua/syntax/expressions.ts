import type { Edit } from './edits.ts';
import { readNumeral, writeNumeral } from './numeral.ts';
import type { TokenReader } from './token-reader.ts';

/** How strongly operators bind, on their left and on their right. */
const binary: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
};
const unaryPriority = 8;
/** How many operands one call joins at most. */
const maxJoined = 32;
/** The most jumps in a row. The compiler looks through all of them for each further one, and nobody writes so many. */
export const maxJumps = 1000;

/** The name under which the translated source finds the function that joins values as LuaJIT does. */
export const joinName = '_kong_ts_join';
/** The name of the function that computes the remainder as LuaJIT does. */
export const remainderName = '_kong_ts_remainder';

/** `a .. b .. c`, read from the right. */
interface Join {
  readonly open: Edit;
  readonly close: Edit;
  readonly operands: number;
}

/** Reads expressions. Where Lua 5.4 would compute something else than LuaJIT, an edit is noted. */
export class Expressions {
  readonly #reader: TokenReader;
  readonly #functionBody: (hasSelf: boolean, line: number) => void;

  /** @param functionBody reads what follows the word `function` */
  constructor(reader: TokenReader, functionBody: (hasSelf: boolean, line: number) => void) {
    this.#reader = reader;
    this.#functionBody = functionBody;
  }

  one(): void {
    this.#operation(0);
  }

  list(): void {
    do this.one();
    while (this.#reader.accept(','));
  }

  /** A call or an assignment. */
  statement(): void {
    const reader = this.#reader;
    let kind = this.#suffixed();
    if (kind === 'call' && reader.token.type !== '=' && reader.token.type !== ',') return;
    for (;;) {
      if (kind !== 'variable') reader.error(kind === 'call' ? 'unexpected symbol' : 'syntax error');
      if (!reader.accept(',')) break;
      kind = this.#suffixed();
    }
    if (reader.token.type !== '=') reader.error("'=' expected");
    reader.next();
    this.list();
  }

  /** Operators that bind more strongly than the limit. */
  #operation(limit: number): Join | null {
    const reader = this.#reader;
    reader.deeper();
    const { start } = reader.token;
    if (['not', '-', '#'].includes(reader.token.type)) {
      reader.next();
      this.#operation(unaryPriority);
    } else this.#simple();
    let join: Join | null = null;
    let jumps = 0;
    for (;;) {
      const { token } = reader;
      const priority = binary[token.type];
      if (priority === undefined || priority[0] <= limit) break;
      reader.next();
      if (token.type === 'and' || token.type === 'or') jumps += 1;
      if (jumps > maxJumps) reader.error(`more than ${maxJumps} 'and' and 'or' in a row`);
      const joined = this.#operation(priority[1]);
      join = null;
      if (token.type === '..') join = this.#join(start, token.start, joined);
      if (token.type === '%') this.#remainder(start, token.start);
    }
    reader.shallower();
    return join;
  }

  /** `a .. b` becomes a call: Lua 5.4 writes 10 / 2 as 5.0. */
  #join(start: number, operator: number, right: Join | null): Join {
    const { edits, lastEnd } = this.#reader;
    const flat = right !== null && right.operands < maxJoined ? right : null;
    if (flat !== null) {
      flat.open.cancelled = true;
      flat.close.cancelled = true;
    }
    edits.replace(operator, operator + 2, '),(');
    return {
      // The parentheses keep it from being a tail call, so that an error names the line.
      open: edits.open(start, `(${joinName}((`),
      close: edits.close(lastEnd, ')))'),
      operands: (flat?.operands ?? 1) + 1,
    };
  }

  /** `a % b` becomes a call: LuaJIT computes a - floor(a / b) * b, which is less exact than Lua 5.4. */
  #remainder(start: number, operator: number): void {
    const { edits, lastEnd } = this.#reader;
    edits.open(start, `(${remainderName}((`);
    edits.replace(operator, operator + 1, '),(');
    edits.close(lastEnd, ')))');
  }

  #simple(): void {
    const reader = this.#reader;
    const { type, start, end, line } = reader.token;
    switch (type) {
      case '<number>':
        this.#number(start, end);
        break;
      case '<string>':
      case 'nil':
      case 'true':
      case 'false':
        break;
      case '...':
        if (!reader.scope.isVararg) reader.error("cannot use '...' outside a vararg function");
        break;
      case '{':
        this.#table();
        return;
      case 'function':
        reader.next();
        this.#functionBody(false, line);
        return;
      default:
        this.#suffixed();
        return;
    }
    reader.next();
  }

  #number(start: number, end: number): void {
    const reader = this.#reader;
    const numeral = readNumeral(reader.text());
    if (numeral === 'malformed') return reader.error('malformed number');
    if (numeral === 'cdata') {
      return reader.error('numbers of 64 bit and imaginary numbers are not available here');
    }
    reader.edits.replace(start, end, writeNumeral(numeral.value));
  }

  #table(): void {
    const reader = this.#reader;
    const { line } = reader.token;
    reader.next();
    while (reader.token.type !== '}') {
      if (reader.accept('[')) {
        this.one();
        reader.expect(']');
        reader.expect('=');
      } else if (reader.token.type === '<name>' && reader.peek().type === '=') {
        reader.name();
        reader.next();
      }
      this.one();
      if (!reader.accept(',') && !reader.accept(';')) break;
    }
    reader.match('}', '{', line);
  }

  /** A name or an expression in parentheses, and what is indexed, called and so on from there. */
  #suffixed(): 'variable' | 'call' | 'value' {
    const reader = this.#reader;
    const { type, line } = reader.token;
    let kind: 'variable' | 'call' | 'value';
    if (type === '(') {
      reader.next();
      this.one();
      reader.match(')', '(', line);
      kind = 'value';
    } else if (type === '<name>') {
      reader.scope.use(reader.name());
      kind = 'variable';
    } else return reader.error('unexpected symbol');
    for (;;) {
      if (reader.accept('.')) {
        reader.name();
        kind = 'variable';
      } else if (reader.accept('[')) {
        this.one();
        reader.expect(']');
        kind = 'variable';
      } else if (reader.accept(':')) {
        reader.name();
        this.#arguments();
        kind = 'call';
      } else if (['(', '<string>', '{'].includes(reader.token.type)) {
        this.#arguments();
        kind = 'call';
      } else return kind;
    }
  }

  #arguments(): void {
    const reader = this.#reader;
    const { type, line } = reader.token;
    if (type === '<string>') reader.next();
    else if (type === '{') this.#table();
    else if (type === '(') {
      reader.next();
      if (reader.token.type !== ')') this.list();
      reader.match(')', '(', line);
    } else reader.error('function arguments expected');
  }
}
