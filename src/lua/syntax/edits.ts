/** One change of a source. `cancelled` ones count for nothing. */
export interface Edit {
  readonly at: number;
  readonly end: number;
  text: string;
  /** What closes comes before what opens at the same place. */
  readonly closes: boolean;
  cancelled: boolean;
}

/** Changes of a source that keep its lines. */
export class Edits {
  private readonly list: Edit[] = [];

  replace(at: number, end: number, text: string): Edit {
    return this.add({ at, end, text, closes: false, cancelled: false });
  }

  open(at: number, text: string): Edit {
    return this.add({ at, end: at, text, closes: false, cancelled: false });
  }

  close(at: number, text: string): Edit {
    return this.add({ at, end: at, text, closes: true, cancelled: false });
  }

  apply(source: string): string {
    // The sort is stable: what was closed first is inside.
    const list = this.list
      .filter(({ cancelled }) => !cancelled)
      .sort((a, b) => a.at - b.at || Number(b.closes) - Number(a.closes) || a.end - b.end);
    const parts: string[] = [];
    let from = 0;
    for (const { at, end, text } of list) {
      parts.push(source.slice(from, at), text);
      from = end;
    }
    parts.push(source.slice(from));
    return parts.join('');
  }

  private add(edit: Edit): Edit {
    this.list.push(edit);
    return edit;
  }
}
