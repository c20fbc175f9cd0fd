import type { ObservedName } from "../model/flow-record.js";

/** The list without names. */
export const NO_NAMES = 0;

/** Lists of names as numbers, equal lists the same, so that half a million flows hold no objects. */
export class NameLists {
  private lists: (readonly ObservedName[])[] = [[]];
  private byText = new Map<string, number>([["", NO_NAMES]]);
  private byAnswer = new Map<string, number>(); // lists of one name that DNS told, by far the most

  get size(): number {
    return this.lists.length;
  }

  /** The number of a list, which must not change afterwards. */
  idOf(names: readonly ObservedName[]): number {
    const text = names.map(({ name, source }) => `${source} ${name}`).join("\n");
    let id = this.byText.get(text);
    if (id === undefined) {
      id = this.lists.push(names) - 1;
      this.byText.set(text, id);
    }
    return id;
  }

  /** The number of the list that has one name, told by DNS. */
  ofAnswer(name: string): number {
    let id = this.byAnswer.get(name);
    if (id === undefined) {
      id = this.idOf([{ name, source: "dns" }]);
      this.byAnswer.set(name, id);
    }
    return id;
  }

  at(id: number): readonly ObservedName[] {
    return this.lists[id] ?? [];
  }

  clear(): void {
    this.lists = [[]];
    this.byText = new Map([["", NO_NAMES]]);
    this.byAnswer = new Map();
  }
}
