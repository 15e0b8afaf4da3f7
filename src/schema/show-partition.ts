import { showPolicy, showText } from "./show-text.ts";
import { quoteName } from "./sql/expr-print.ts";
import { type PartitionDefinition, type PartitionInfo, PartitionType } from "./table-info.ts";

/** PARTITION BY of SHOW CREATE TABLE (`AppendPartitionInfo` of `pkg/ddl/partition.go`), from the line break on. */
export function showPartition(info: PartitionInfo): string {
  const columns = (info.columns ?? []).map(({ O }) => quoteName(O)).join(",");
  switch (info.type) {
    case PartitionType.hash:
    case PartitionType.key: {
      const by =
        info.type === PartitionType.hash ? `HASH (${info.expr})` : `KEY (${info.is_empty_columns ? "" : columns})`;
      const head = `\nPARTITION BY ${by}`;
      const plain = info.definitions.every(
        (definition, i) => definition.name.L === `p${i}` && showRest(definition) === "",
      );
      return plain ? `${head} PARTITIONS ${info.definitions.length}` : `${head}\n${showDefinitions(info)}`;
    }
    default: {
      const type = info.type === PartitionType.range ? "RANGE" : "LIST";
      const by = info.columns?.length ? `${type} COLUMNS(${columns})` : `${type} (${info.expr})`;
      return `\nPARTITION BY ${by}\n${showDefinitions(info)}`;
    }
  }
}

function showDefinitions(info: PartitionInfo): string {
  const texts = info.definitions.map((definition) => {
    return `PARTITION ${quoteName(definition.name.O)}${showValues(info, definition)}${showRest(definition)}`;
  });
  return `(${texts.join(",\n ")})`;
}

function showValues(info: PartitionInfo, definition: PartitionDefinition): string {
  if (info.type === PartitionType.range) return ` VALUES LESS THAN (${(definition.less_than ?? []).join(",")})`;
  if (info.type !== PartitionType.list) return "";
  const rows = definition.in_values ?? [];
  if (rows.length === 1 && rows[0]?.length === 1 && rows[0][0] === "DEFAULT") return " DEFAULT";
  const texts = rows.map((row) => (row.length === 1 ? row[0] : `(${row.join(",")})`));
  return ` VALUES IN (${texts.join(",")})`;
}

function showRest(definition: PartitionDefinition): string {
  const comment = definition.comment ? ` COMMENT '${showText(definition.comment)}'` : "";
  return comment + showPolicy(definition.policy_ref_info);
}
