/** One change of a source. `cancelled` ones count for nothing. */
export interface Edit {
  readonly at: number;
  readonly end: number;
  text: string;
  /** What closes comes before what opens at the same place. */
  readonly closes: boolean;
  cancelled: boolean;
  readonly order: number;
}

/** The edit that was noted first is inside: it closes first and opens last. */
function compare(a: Edit, b: Edit): number {
  const inside = a.closes ? a.order - b.order : b.order - a.order;
  return a.at - b.at || Number(b.closes) - Number(a.closes) || a.end - b.end || inside;
}

/** Changes of a source that keep its lines. */
export class Edits {
  readonly #list: Edit[] = [];

  replace(at: number, end: number, text: string): Edit {
    return this.#add(at, end, text, false);
  }

  open(at: number, text: string): Edit {
    return this.#add(at, at, text, false);
  }

  close(at: number, text: string): Edit {
    return this.#add(at, at, text, true);
  }

  apply(source: string): string {
    const list = this.#list.filter(({ cancelled }) => !cancelled).sort(compare);
    const parts: string[] = [];
    let from = 0;
    for (const { at, end, text } of list) {
      parts.push(source.slice(from, at), text);
      from = end;
    }
    parts.push(source.slice(from));
    return parts.join('');
  }

  #add(at: number, end: number, text: string, closes: boolean): Edit {
    const edit = { at, end, text, closes, cancelled: false, order: this.#list.length };
    this.#list.push(edit);
    return edit;
  }
}
