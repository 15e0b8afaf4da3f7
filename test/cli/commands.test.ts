import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommandName, descriptions, loadCommand } from "../../src/cli/commands/mod.ts";
import type { CommandIo } from "../../src/cli/mod.ts";

for (const [name, description] of Object.entries(descriptions)) {
  test(`the list of commands says of ${name} what the command says`, async () => {
    // Nothing of the process is touched before a command runs.
    const loaded = await loadCommand(name as CommandName, {} as CommandIo);
    assert.equal(loaded.name, name);
    assert.equal(loaded.description, description);
  });
}
