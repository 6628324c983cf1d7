import { Edits } from './edits.ts';
import type { Token } from './lexer.ts';
import { Lexer } from './lexer.ts';
import { FunctionScope } from './scopes.ts';

/** LuaJIT's own limit of nesting. */
const maxLevels = 200;

/** The tokens of a chunk one by one, and what is true at the current one: the scope, the depth, the edits so far. */
export class TokenReader {
  readonly edits = new Edits();
  token: Token;
  scope: FunctionScope;
  readonly #lexer: Lexer;
  #ahead: Token | null = null;
  #levels = 0;
  /** Where the last token ended. */
  lastEnd = 0;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
    this.scope = this.newScope(null, true, 0);
    this.token = this.#lexer.next();
  }

  text(): string {
    return this.#lexer.text(this.token);
  }

  next(): void {
    this.lastEnd = this.token.end;
    this.token = this.#ahead ?? this.#lexer.next();
    this.#ahead = null;
  }

  peek(): Token {
    return (this.#ahead ??= this.#lexer.next());
  }

  accept(type: string): boolean {
    if (this.token.type !== type) return false;
    this.next();
    return true;
  }

  expect(type: string): void {
    if (!this.accept(type)) this.expected(type);
  }

  /** The token that closes what was opened on a line. */
  match(type: string, opener: string, line: number): void {
    if (this.accept(type)) return;
    if (line === this.token.line) this.expected(type);
    this.error(`'${type}' expected (to close '${opener}' at line ${line})`);
  }

  expected(type: string): never {
    return this.error(`'${type}' expected`);
  }

  error(problem: string): never {
    const near = this.token.type === '<eof>' ? '<eof>' : this.text();
    return this.#lexer.fail(problem, near, this.token.line);
  }

  deeper(): void {
    this.#levels += 1;
    if (this.#levels >= maxLevels) this.error('chunk has too many syntax levels');
  }

  shallower(): void {
    this.#levels -= 1;
  }

  name(): string {
    if (this.token.type !== '<name>') this.expected('<name>');
    const name = this.text();
    // Lua 5.4 knows letters of ASCII only, and makes more of one name than LuaJIT does.
    if (name === '_ENV' || /[\u0080-\u00ff]/.test(name)) {
      const ascii = `_name_${Buffer.from(name, 'latin1').toString('hex')}`;
      this.edits.replace(this.token.start, this.token.end, ascii);
    }
    this.next();
    return name;
  }

  protected newScope(parent: FunctionScope | null, isVararg: boolean, line: number): FunctionScope {
    return new FunctionScope(parent, isVararg, line, (problem, at) =>
      this.#lexer.fail(problem, null, at ?? this.token.line),
    );
  }
}
