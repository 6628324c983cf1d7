import { Expressions, maxJumps } from './expressions.ts';
import type { Label } from './scopes.ts';
import { TokenReader } from './token-reader.ts';

/**
 * The most labels and jumps in a chunk. The compiler looks through all of them for each one, and nobody writes so many.
 */
const maxLabels = 1000;

const ends = new Set(['else', 'elseif', 'end', 'until', '<eof>']);

/**
 * Reads a chunk as LuaJIT 2.1 in Kong reads it (with its extensions of Lua 5.2: goto, empty statements, `break`
 * anywhere) and notes what has to be changed for Lua 5.4.
 */
export class Parser extends TokenReader {
  readonly #expressions = new Expressions(this, (hasSelf, line) => this.#body(hasSelf, line));
  #labels = 0;

  /** @throws KongTsError LUA_INVALID, in LuaJIT's words */
  chunk(): void {
    this.#block(false);
    if (this.token.type !== '<eof>') this.expected('<eof>');
  }

  /** The parameters and the body of a function, from `(` to `end`. */
  #body(hasSelf: boolean, line: number): void {
    const outer = this.scope;
    this.expect('(');
    const names = hasSelf ? ['self'] : [];
    let isVararg = false;
    if (this.token.type !== ')') {
      do {
        if (this.accept('...')) {
          isVararg = true;
          break;
        }
        if (this.token.type !== '<name>') this.error("<name> or '...' expected");
        names.push(this.name());
      } while (this.accept(','));
    }
    this.expect(')');
    this.scope = this.newScope(outer, isVararg, line);
    this.#block(false, names);
    this.match('end', 'function', line);
    this.scope = outer;
  }

  /** Statements up to the token that ends them, in a scope of their own. */
  #block(isLoop: boolean, names: readonly string[] = []): void {
    this.scope.open(isLoop);
    for (const name of names) this.scope.declare(name);
    this.#statements();
    this.scope.close();
  }

  #statements(): void {
    this.deeper();
    let isLast = false;
    while (!isLast && !ends.has(this.token.type)) {
      isLast = this.#statement();
      this.accept(';');
    }
    this.shallower();
  }

  /** @returns whether nothing may follow it */
  #statement(): boolean {
    const { line, type } = this.token;
    switch (type) {
      case ';':
        this.next();
        break;
      case 'if':
        this.#conditional(line);
        break;
      case 'while':
        this.next();
        this.#expressions.one();
        this.expect('do');
        this.#block(true);
        this.match('end', 'while', line);
        break;
      case 'do':
        this.next();
        this.#block(false);
        this.match('end', 'do', line);
        break;
      case 'for':
        this.#loop(line);
        break;
      case 'repeat':
        this.#repetition(line);
        break;
      case 'function':
        this.#functionStatement(line);
        break;
      case 'local':
        this.#localStatement(line);
        break;
      case 'return':
        this.next();
        if (!ends.has(this.token.type) && this.token.type !== ';') this.#expressions.list();
        return true;
      case 'break':
        this.next();
        if (!this.scope.isInLoop) this.error('no loop to break');
        break;
      case '::':
        this.#label();
        break;
      case 'goto':
        this.next();
        this.#jump();
        break;
      default:
        this.#expressions.statement();
    }
    return false;
  }

  #conditional(line: number): void {
    let arms = 0;
    do {
      arms += 1;
      if (arms > maxJumps) this.error(`more than ${maxJumps} conditions of one 'if'`);
      this.next();
      this.#expressions.one();
      this.expect('then');
      this.#block(false);
    } while (this.token.type === 'elseif');
    if (this.accept('else')) this.#block(false);
    this.match('end', 'if', line);
  }

  #loop(line: number): void {
    this.next();
    const names = [this.name()];
    if (this.accept('=')) {
      this.#expressions.one();
      this.expect(',');
      this.#expressions.one();
      if (this.accept(',')) this.#expressions.one();
    } else if (this.token.type === ',' || this.token.type === 'in') {
      while (this.accept(',')) names.push(this.name());
      this.expect('in');
      this.#expressions.list();
    } else this.error("'=' or 'in' expected");
    this.expect('do');
    // The loop keeps three values of its own beside its variables.
    this.scope.open(true);
    for (const hidden of ['(for a)', '(for b)', '(for c)']) this.scope.declare(hidden);
    this.#block(false, names);
    this.match('end', 'for', line);
    this.scope.close();
  }

  #repetition(line: number): void {
    this.next();
    this.scope.open(true);
    this.scope.open(false);
    this.#statements();
    this.match('until', 'repeat', line);
    this.#expressions.one();
    this.scope.close();
    this.scope.close();
  }

  #functionStatement(line: number): void {
    this.next();
    this.scope.use(this.name());
    while (this.accept('.')) this.name();
    const hasSelf = this.accept(':');
    if (hasSelf) this.name();
    this.#body(hasSelf, line);
  }

  #localStatement(line: number): void {
    this.next();
    if (this.accept('function')) {
      this.scope.declare(this.name());
      this.#body(false, line);
      return;
    }
    const names = [this.name()];
    while (this.accept(',')) names.push(this.name());
    if (this.accept('=')) this.#expressions.list();
    for (const name of names) this.scope.declare(name);
  }

  #label(): void {
    this.next();
    const { start, end } = this.token;
    const label: Label = { name: this.name(), number: this.#countLabel(), active: 0 };
    // In Lua 5.4 a label's name may stand once in a function.
    this.edits.replace(start, end, labelName(label));
    this.scope.label(label);
    this.expect('::');
    for (;;) {
      if (this.token.type === '::') {
        this.deeper();
        this.#label();
        this.shallower();
      } else if (!this.accept(';')) break;
    }
    if (ends.has(this.token.type) && this.token.type !== 'until') this.scope.trailing(label);
    this.scope.settle(label);
  }

  #jump(): void {
    const { start, end, line } = this.token;
    this.#countLabel();
    const edit = this.edits.replace(start, end, '');
    this.scope.jump(this.name(), line, (label) => {
      edit.text = labelName(label);
    });
  }

  #countLabel(): number {
    this.#labels += 1;
    if (this.#labels > maxLabels) this.error(`more than ${maxLabels} labels and jumps`);
    return this.#labels;
  }
}

const labelName = ({ number }: Label): string => `label_${number}`;
