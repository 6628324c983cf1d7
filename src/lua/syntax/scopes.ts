/** A label of a block. `active` is how many locals are in scope at it. */
export interface Label {
  readonly name: string;
  readonly number: number;
  active: number;
}

export interface Goto {
  readonly name: string;
  readonly line: number;
  readonly resolve: (label: Label) => void;
  active: number;
}

export interface Block {
  readonly isLoop: boolean;
  /** How many locals were in scope when it began. */
  readonly active: number;
  readonly labels: Map<string, Label>;
  /** Jumps whose label has not come yet. */
  gotos: Goto[];
}

export type Fail = (problem: string, line?: number) => never;

const maxLocals = 200;
const maxUpvalues = 60;

/** The names of one function: its locals by block, its labels, the variables that it takes from around it. */
export class FunctionScope {
  readonly isVararg: boolean;
  readonly #parent: FunctionScope | null;
  readonly #line: number;
  readonly #fail: Fail;
  readonly #locals: string[] = [];
  readonly #blocks: Block[] = [];
  readonly #upvalues = new Set<string>();

  constructor(parent: FunctionScope | null, isVararg: boolean, line: number, fail: Fail) {
    this.#parent = parent;
    this.isVararg = isVararg;
    this.#line = line;
    this.#fail = fail;
  }

  get #where(): string {
    return this.#parent === null ? 'main function' : `function at line ${this.#line}`;
  }

  get block(): Block {
    return this.#blocks.at(-1) ?? { isLoop: false, active: 0, labels: new Map(), gotos: [] };
  }

  get isInLoop(): boolean {
    return this.#blocks.some(({ isLoop }) => isLoop);
  }

  declare(name: string): void {
    if (this.#locals.length >= maxLocals)
      this.#fail(`${this.#where} has more than ${maxLocals} local variables`);
    this.#locals.push(name);
  }

  /** Looks a name up: a local of this function, or a variable of one around it (LuaJIT has at most 60 of them). */
  use(name: string): boolean {
    const at = this.#locals.lastIndexOf(name);
    if (at >= 0) return true;
    if (this.#upvalues.has(name)) return true;
    if (this.#parent?.use(name) !== true) return false;
    this.#upvalues.add(name);
    if (this.#upvalues.size > maxUpvalues) this.#fail(`${this.#where} has more than ${maxUpvalues} upvalues`);
    return true;
  }

  open(isLoop: boolean): void {
    this.#blocks.push({ isLoop, active: this.#locals.length, labels: new Map(), gotos: [] });
  }

  close(): void {
    const block = this.#blocks.pop();
    if (block === undefined) return;
    this.#locals.length = block.active;
    const outer = this.#blocks.at(-1);
    for (const jump of block.gotos) {
      if (outer === undefined) this.#fail(`undefined label '${jump.name}'`, jump.line);
      jump.active = Math.min(jump.active, block.active);
      const label = outer.labels.get(jump.name);
      if (label === undefined) outer.gotos.push(jump);
      else jump.resolve(label);
    }
  }

  label(label: Label): void {
    const { block } = this;
    if (block.labels.has(label.name)) this.#fail(`duplicate label '${label.name}'`);
    label.active = this.#locals.length;
    block.labels.set(label.name, label);
  }

  /** A label at the end of its block is outside of the scope of the block's locals. */
  trailing(label: Label): void {
    label.active = this.block.active;
  }

  /** Resolves the jumps forward to labels, once it is known where their scope is. */
  settle(label: Label): void {
    const { block } = this;
    block.gotos = block.gotos.filter((jump) => {
      if (jump.name !== label.name) return true;
      if (jump.active < label.active) {
        const local = this.#locals[jump.active] ?? '?';
        this.#fail(`<goto ${jump.name}> jumps into the scope of local '${local}'`, jump.line);
      }
      jump.resolve(label);
      return false;
    });
  }

  jump(name: string, line: number, resolve: (label: Label) => void): void {
    for (const { labels } of this.#blocks.toReversed()) {
      const label = labels.get(name);
      if (label !== undefined) {
        resolve(label);
        return;
      }
    }
    this.block.gotos.push({ name, line, resolve, active: this.#locals.length });
  }
}
