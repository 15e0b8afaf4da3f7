/** What decides where the pairs of a row go: its partition, and the conditions of partial indexes. */
import { LevinError } from "../base/mod.ts";
import type { Datum } from "../codec/mod.ts";
import { type IndexLayout, type TableLayout, unsupported } from "./layout.ts";
import type { TableExpressions } from "./options.ts";
import { MysqlCode, valueError, valueFault } from "./value-error.ts";

type Row = readonly Datum[];

export class RowRules {
  readonly partitioned: boolean;
  /** Some index has a condition. */
  readonly conditional: boolean;
  private readonly layout: TableLayout;
  private readonly locate: ((row: Row) => number | undefined) | undefined;
  private readonly conditions = new Map<IndexLayout, (row: Row) => boolean>();

  /** Refuses what the expressions cannot do. */
  constructor(layout: TableLayout, expressions: TableExpressions) {
    this.layout = layout;
    this.partitioned = layout.partitioned;
    if (layout.partitioned) {
      if (expressions.partition === undefined) throw unsupported(layout.info, "it is partitioned");
      this.locate = expressions.partition(layout.info);
    }
    for (const index of layout.indexes) {
      const text = index.info.partial_condition_expr_string ?? "";
      if (text === "") continue;
      const name = index.info.idx_name.O;
      if (expressions.condition === undefined) {
        const reason = `index "${name}" has the condition ${text}, which levin does not know`;
        throw unsupported(layout.info, reason, { index: name });
      }
      this.conditions.set(index, expressions.condition(layout.info, index.info));
    }
    this.conditional = this.conditions.size > 0;
  }

  /** Id of the row's partition, or the table's; throws `Levin:Encode:ErrNoPartition`. */
  physicalId(row: Row): number {
    const { info } = this.layout;
    if (this.locate === undefined) return info.id;
    const at = this.guarded(() => this.locate!(row), "partition");
    const definition = at === undefined ? undefined : info.partition!.definitions[at];
    if (definition !== undefined) return definition.id;
    const message = `Cannot store row in table "${info.name.O}": no partition takes it (MySQL error ${MysqlCode.noPartition})`;
    throw new LevinError("Levin:Encode:ErrNoPartition", message, {
      fields: { table: info.name.O, mysqlCode: MysqlCode.noPartition },
    });
  }

  /** Whether the index has an entry for the row. */
  wants(index: IndexLayout, row: Row): boolean {
    const condition = this.conditions.get(index);
    return condition === undefined || this.guarded(() => condition(row), index.info.idx_name.O);
  }

  private guarded<T>(evaluate: () => T, what: string): T {
    try {
      return evaluate();
    } catch (thrown) {
      const fault = valueFault(thrown);
      if (fault === undefined) throw thrown;
      throw valueError(this.layout.info.name.O, what, fault.mysqlCode, fault.message, thrown);
    }
  }
}
