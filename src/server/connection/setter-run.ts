import { setOwn } from '../../base/set-own.ts';
import type { FunctionRow, Fields } from '../../pdk/index.ts';
import { sameName } from '../../pdk/events/index.ts';

/** A run that has grown to this many UTF-16 units leaves. */
const maxUnits = 16 * 1024;

/** Setters that nothing has come between which could see them: they leave as one call of their plural. */
export class SetterRun {
  readonly into: FunctionRow;
  readonly part: number;
  /** The setters' calls. */
  calls = 1;
  /** The only setter of the run, where it sets one field. */
  readonly #first: FunctionRow;
  readonly #names = new Set<string>();
  readonly #table: Record<string, unknown> = {};
  #units = 0;

  constructor(row: FunctionRow, fields: Fields) {
    this.into = fields.into;
    this.part = fields.part;
    this.#first = row;
    this.#add(fields);
  }

  /** True when it is to leave for its size. */
  get full(): boolean {
    return this.#units > maxUnits;
  }

  /** Takes another setter. @returns false where the order of the two can be seen */
  takes(fields: Fields): boolean {
    for (const [name] of fields.fields) if (this.#names.has(sameName(name))) return false;
    this.calls++;
    this.#add(fields);
    return true;
  }

  /** The call that leaves; a single setter leaves as it is. */
  get call(): { readonly row: FunctionRow; readonly args: readonly unknown[] } {
    const [only] = Object.entries(this.#table);
    return this.calls === 1 && this.#first !== this.into && only !== undefined
      ? { row: this.#first, args: only }
      : { row: this.into, args: [this.#table] };
  }

  #add({ fields }: Fields): void {
    for (const [name, value] of fields) {
      this.#names.add(sameName(name));
      // A list is the plugin's own, which may go on with it.
      setOwn(this.#table, name, typeof value === 'string' ? value : [...value]);
      this.#units += name.length;
      if (typeof value === 'string') this.#units += value.length;
      else for (const line of value) this.#units += line.length + 1;
    }
  }
}
