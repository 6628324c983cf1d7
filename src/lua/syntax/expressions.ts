import type { Edit } from './edits.ts';
import { readNumeral, writeNumeral } from './numeral.ts';
import type { Parser } from './parser.ts';

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
/** So many operands are joined in one call. */
const maxJoined = 32;

/** The name under which the translated source finds the function that joins values as LuaJIT does. */
export const joinName = '_kong_ts_join';
/** And the one that computes the remainder as LuaJIT does. */
export const remainderName = '_kong_ts_remainder';

/** `a .. b .. c`, read from the right. */
interface Join {
  readonly open: Edit;
  readonly close: Edit;
  readonly operands: number;
}

/** Reads expressions. Where Lua 5.4 would compute something else than LuaJIT, an edit is noted. */
export class Expressions {
  private readonly parser: Parser;

  constructor(parser: Parser) {
    this.parser = parser;
  }

  one(): void {
    this.operation(0);
  }

  list(): void {
    do this.one();
    while (this.parser.accept(','));
  }

  /** A call or an assignment. */
  statement(): void {
    const { parser } = this;
    let kind = this.suffixed();
    if (kind === 'call' && parser.token.type !== '=' && parser.token.type !== ',') return;
    for (;;) {
      if (kind !== 'variable') parser.error(kind === 'call' ? 'unexpected symbol' : 'syntax error');
      if (!parser.accept(',')) break;
      kind = this.suffixed();
    }
    if (parser.token.type !== '=') parser.error("'=' expected");
    parser.next();
    this.list();
  }

  /** Operators that bind more strongly than the limit. */
  private operation(limit: number): Join | null {
    const { parser } = this;
    parser.deeper();
    const { start } = parser.token;
    if (['not', '-', '#'].includes(parser.token.type)) {
      parser.next();
      this.operation(unaryPriority);
    } else this.simple();
    let join: Join | null = null;
    for (;;) {
      const { token } = parser;
      const priority = binary[token.type];
      if (priority === undefined || priority[0] <= limit) break;
      parser.next();
      const joined = this.operation(priority[1]);
      join = null;
      if (token.type === '..') join = this.join(start, token.start, joined);
      if (token.type === '%') this.remainder(start, token.start);
    }
    parser.shallower();
    return join;
  }

  /** `a .. b` becomes a call: Lua 5.4 writes 10 / 2 as 5.0. */
  private join(start: number, operator: number, right: Join | null): Join {
    const { edits, lastEnd } = this.parser;
    const flat = right !== null && right.operands < maxJoined ? right : null;
    if (flat !== null) {
      flat.open.cancelled = true;
      flat.close.cancelled = true;
    }
    edits.replace(operator, operator + 2, '),(');
    return {
      // In parentheses, so that it is no tail call: an error names the line.
      open: edits.open(start, `(${joinName}((`),
      close: edits.close(lastEnd, ')))'),
      operands: (flat?.operands ?? 1) + 1,
    };
  }

  /** `a % b` becomes a call: LuaJIT computes a - floor(a / b) * b, which is less exact than Lua 5.4. */
  private remainder(start: number, operator: number): void {
    const { edits, lastEnd } = this.parser;
    edits.open(start, `(${remainderName}((`);
    edits.replace(operator, operator + 1, '),(');
    edits.close(lastEnd, ')))');
  }

  private simple(): void {
    const { parser } = this;
    const { type, start, end, line } = parser.token;
    switch (type) {
      case '<number>':
        this.number(start, end);
        break;
      case '<string>':
      case 'nil':
      case 'true':
      case 'false':
        break;
      case '...':
        if (!parser.scope.isVararg) parser.error("cannot use '...' outside a vararg function");
        break;
      case '{':
        this.table();
        return;
      case 'function':
        parser.next();
        parser.body(false, line);
        return;
      default:
        this.suffixed();
        return;
    }
    parser.next();
  }

  private number(start: number, end: number): void {
    const { parser } = this;
    const numeral = readNumeral(parser.text());
    if (numeral === 'malformed') return parser.error('malformed number');
    if (numeral === 'cdata') {
      return parser.error('numbers of 64 bit and imaginary numbers are not available here');
    }
    parser.edits.replace(start, end, writeNumeral(numeral.value));
  }

  private table(): void {
    const { parser } = this;
    const { line } = parser.token;
    parser.next();
    while (parser.token.type !== '}') {
      if (parser.accept('[')) {
        this.one();
        parser.expect(']');
        parser.expect('=');
      } else if (parser.token.type === '<name>' && parser.peek().type === '=') {
        parser.name();
        parser.next();
      }
      this.one();
      if (!parser.accept(',') && !parser.accept(';')) break;
    }
    parser.match('}', '{', line);
  }

  /** A name or an expression in parentheses, and what is indexed, called and so on from there. */
  private suffixed(): 'variable' | 'call' | 'value' {
    const { parser } = this;
    const { type, line } = parser.token;
    let kind: 'variable' | 'call' | 'value';
    if (type === '(') {
      parser.next();
      this.one();
      parser.match(')', '(', line);
      kind = 'value';
    } else if (type === '<name>') {
      parser.scope.use(parser.name());
      kind = 'variable';
    } else return parser.error('unexpected symbol');
    for (;;) {
      if (parser.accept('.')) {
        parser.name();
        kind = 'variable';
      } else if (parser.accept('[')) {
        this.one();
        parser.expect(']');
        kind = 'variable';
      } else if (parser.accept(':')) {
        parser.name();
        this.arguments();
        kind = 'call';
      } else if (['(', '<string>', '{'].includes(parser.token.type)) {
        this.arguments();
        kind = 'call';
      } else return kind;
    }
  }

  private arguments(): void {
    const { parser } = this;
    const { type, line } = parser.token;
    if (type === '<string>') parser.next();
    else if (type === '{') this.table();
    else if (type === '(') {
      parser.next();
      if (parser.token.type !== ')') this.list();
      parser.match(')', '(', line);
    } else parser.error('function arguments expected');
  }
}
