import { command, flag, optional, positional, string } from "cmd-ts";
import { type CheckResult, checkSource } from "../../importer/mod.ts";
import { importEnvironment } from "../environment.ts";
import { configArgument, flagArguments, givenFlags } from "../import-flags.ts";
import { askPassword, loadImportConfig } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { sizeText } from "../output/text.ts";
import { textTable } from "../output/text-table.ts";
import { importJob } from "../run-import.ts";

const EXIT_CHECK_FAILED = 3;

/** `levin check DIR`: every file with its verdict, and the checks before an import; nothing is written. */
export const checkCommand = (io: CommandIo) =>
  command({
    name: "check",
    description: "Show what every file of a source is taken for, and run the checks before an import.",
    args: {
      source: positional({
        type: optional(string),
        displayName: "SOURCE",
        description: "directory of the dump, or one file",
      }),
      config: configArgument(),
      json: flag({ long: "json", description: "as one JSON line" }),
      offline: flag({ long: "offline", description: "leave the target out even if one is named" }),
      ...flagArguments(),
    },
    handler: async (args) => {
      const config = loadImportConfig(io, args.config, givenFlags(args), false);
      const withTarget =
        !args.offline && ["tidb.host", "tidb.port", "tidb.status-port"].some((key) => config.isSet(key));
      let options = await importJob(io, config, args.source, false, "check");
      if (withTarget) options = await askPassword(io, config, options);
      const result = await checkSource(
        options,
        importEnvironment(io, () => undefined),
        withTarget,
      );
      const failed = result.findings.filter(({ status }) => status === "failed").length;
      io.stdout.write(
        args.json ? `${JSON.stringify({ ok: failed === 0, ...plain(result) })}\n` : tables(result, failed),
      );
      return failed === 0 ? 0 : EXIT_CHECK_FAILED;
    },
  });

/** Without errors' stacks and causes. */
function plain({ files, tables, findings }: CheckResult): object {
  return {
    files,
    tables,
    checks: findings.map(({ check, status, detail, cause }) => ({
      check,
      status,
      detail,
      ...(cause === undefined ? {} : { code: cause.code }),
    })),
  };
}

function tables({ files, findings }: CheckResult, failed: number): string {
  const fileRows = files.map(({ verdict, sizeBytes, path, detail }) => [verdict, sizeText(sizeBytes), path, detail]);
  const checkRows = findings.map(({ check, status, detail }) => [status, check, detail]);
  const end = failed === 0 ? "nothing speaks against an import" : `${failed} failed`;
  return `${textTable(["verdict", "size", "file", "what"], fileRows, [1])}\n${textTable(["result", "check", "what"], checkRows, [])}\n${end}\n`;
}
